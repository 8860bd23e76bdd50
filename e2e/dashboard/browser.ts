import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, type Page, chromium } from "playwright-core";

/** Where Debian and others put it; FLAREDB_CHROMIUM says where else. */
const PLACES = [
  process.env["FLAREDB_CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
];

/** The browser calls nobody but the page's own server. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export type Theme = "light" | "dark";

/** What a page is looked at with. */
export interface View {
  readonly theme: Theme;
  readonly width: number;
  readonly height: number;
}

export const DESKTOP: View = { theme: "light", width: 1280, height: 860 };

/** The program, where there is one. */
function chromiumPath(): string | undefined {
  return PLACES.find((path) => path !== undefined && existsSync(path));
}

/** Chromium without a window, on an empty profile of its own. */
export class TestBrowser {
  readonly #context: BrowserContext;
  readonly #profile: string;

  private constructor(context: BrowserContext, profile: string) {
    this.#context = context;
    this.#profile = profile;
  }

  static async start(): Promise<TestBrowser> {
    const executablePath = chromiumPath();
    if (executablePath === undefined) {
      throw new Error(
        `there is no chromium at ${PLACES.filter(Boolean).join(", ")}: install it, or set FLAREDB_CHROMIUM`,
      );
    }
    const profile = mkdtempSync(join(tmpdir(), "flaredb-chromium-"));
    const context = await chromium.launchPersistentContext(profile, {
      ...{ executablePath, headless: true, args: FLAGS, ignoreHTTPSErrors: true },
      timezoneId: "UTC",
      locale: "en",
    });
    return new TestBrowser(context, profile);
  }

  /** A page that notes everything that goes wrong in it. */
  async open(url: string, view: View = DESKTOP): Promise<OpenPage> {
    const page = await this.#context.newPage();
    const opened = new OpenPage(page);
    await opened.look(view);
    await page.goto(url);
    return opened;
  }

  async close(): Promise<void> {
    await this.#context.close();
    rmSync(this.#profile, { recursive: true, force: true });
  }
}

/** A page, with what its console said of errors and which requests failed. */
export class OpenPage {
  readonly page: Page;
  readonly errors: string[] = [];
  /** Every request that it made. */
  readonly requests: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        this.errors.push(`${message.type()}: ${message.text()}`);
      }
    });
    page.on("pageerror", (error) => this.errors.push(`error: ${error.message}`));
    page.on("request", (request) => this.requests.push(request.url()));
  }

  async look({ theme, width, height }: View): Promise<void> {
    await this.page.setViewportSize({ width, height });
    await this.page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
  }

  /** Goes to a page of the dashboard: what stands behind `#/`. */
  async goTo(address: string): Promise<void> {
    const { origin } = new URL(this.page.url());
    await this.page.goto(`${origin}/dashboard/#/${address}`);
  }

  close(): Promise<void> {
    return this.page.close();
  }
}
