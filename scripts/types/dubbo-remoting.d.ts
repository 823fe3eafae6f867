// Dubbo's wire protocol for sofa-rpc-node's clients and servers; it has no types.
declare module "dubbo-remoting" {
  const protocol: object;
  export default protocol;
}
