/** Express 4 under an alias, with the types of Express 5: what the specs call is the same in both. */
declare module "express4" {
  export { default } from "express";
}
