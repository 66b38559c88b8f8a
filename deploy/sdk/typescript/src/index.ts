// A typed client of the Opora API.

export { Opora } from "./calls.js";
export type * as models from "./models.js";
export { Paging, type Page } from "./pages.js";
export * from "./problems.js";
export type { Download, KeyedOptions, Options, Retrying, ServerEvent, Settings } from "./sender.js";
export { TooLong, waitFor } from "./waiting.js";
