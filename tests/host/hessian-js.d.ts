declare module "hessian.js" {
  interface Encoder {
    write(value: unknown): this;
    get(): Buffer;
    reset(): this;
  }
  interface Decoder {
    read(): unknown;
  }
  const hessian: {
    EncoderV2: new (options?: { size?: number }) => Encoder;
    DecoderV2: new (bytes: Buffer) => Decoder;
  };
  export default hessian;
}
