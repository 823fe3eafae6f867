export * from "../../assembly/abi/exports";
