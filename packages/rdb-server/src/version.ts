/** What this program calls itself to others; a test holds it to package.json. */
export const PROGRAM_VERSION = "0.1.0";
