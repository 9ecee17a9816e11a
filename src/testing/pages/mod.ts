/**
 * The pages that a browser sees.
 *
 * @module
 */
export { answerAuthorize } from "./authorize.ts";
export { answerDevicePage } from "./device_page.ts";
export { answerLogout } from "./logout_page.ts";
