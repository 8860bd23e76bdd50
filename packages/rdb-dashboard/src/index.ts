import { fileURLToPath } from "node:url";

/** Where the built files lie, once they are built (`npm run build:dashboard`): `index.html` and `assets/`. */
export const dashboardFolder: string = fileURLToPath(new URL("../dist/web/", import.meta.url));
