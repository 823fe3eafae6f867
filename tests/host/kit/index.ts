export * from "./public.ts";
export { compileGuest } from "./guest.ts";
