declare module "hessian.js" {
  interface Encoder {
    write(value: unknown): this;
    get(): Buffer;
    reset(): this;
  }
  const hessian: { EncoderV2: new (options?: { size?: number }) => Encoder };
  export default hessian;
}
