import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useCluster, useStores } from "./api/cluster.ts";
import { session } from "./api/session.ts";
import { pages } from "./pages.ts";
import { HelpDialog } from "./parts/help-dialog.tsx";
import { Mark, icons } from "./parts/icons.tsx";
import { JumpField } from "./parts/jump-field.tsx";
import { Login } from "./parts/login.tsx";
import { formatAddress } from "./pure/address.ts";
import { findingsOf, healthSentence, worstLevel } from "./pure/findings.ts";
import { nextTheme, useTheme } from "./theme.ts";
import { useAddress } from "./use-address.ts";
import { useKeyboard } from "./use-keyboard.ts";

/** The dashboard: the bar of pages, how the cluster is, and the page that the address names. */
export function App(): JSX.Element {
  const needsToken = useNeedsToken();
  return needsToken ? <Login /> : <Frame />;
}

function useNeedsToken(): boolean {
  const [isWanted, setWanted] = useState(session.isWanted);
  useEffect(() => session.watch(() => setWanted(session.isWanted)), []);
  return isWanted;
}

function Frame(): JSX.Element {
  const address = useAddress();
  const [helpIsOpen, setHelpOpen] = useState(false);
  const [first = "", ...rest] = address.parts;
  const entry = pages.find(({ path }) => path === first) ?? pages[0];
  const main = useRef<HTMLElement>(null);
  useKeyboard({ pages, help: () => setHelpOpen(true), theme: nextTheme });
  useEffect(() => {
    document.title = `${entry?.title ?? "Overview"}${rest.length > 0 ? ` ${rest.join(" ")}` : ""} · FlareDB`;
  }, [entry, rest.join()]);
  const Page = entry?.show;
  return (
    <div class="shell">
      <a
        class="skip"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        Skip to the page
      </a>
      <Side current={first} onHelp={() => setHelpOpen(true)} />
      <div class="main">
        <div class="top" role="banner">
          {first === "" ? <span class="spring" /> : <HealthLine />}
          <JumpField />
        </div>
        <main class="page" id="main" tabIndex={-1} ref={main}>
          {Page === undefined ? null : <Page key={`${first}/${rest.join("/")}`} {...address} />}
        </main>
      </div>
      <HelpDialog isOpen={helpIsOpen} onClose={() => setHelpOpen(false)} />
    </div>
  );
}

function Side({ current, onHelp }: { readonly current: string; readonly onHelp: () => void }): JSX.Element {
  const { choice } = useTheme();
  const { data: cluster } = useCluster();
  return (
    <div class="side">
      <a class="brand" href={formatAddress([])}>
        <Mark />
        FlareDB
      </a>
      <nav class="nav" aria-label="Pages">
        {pages.map(({ path, title, icon }) => (
          <a
            key={path}
            href={formatAddress(path === "" ? [] : [path])}
            aria-current={path === current ? "page" : undefined}
          >
            {icon}
            {title}
          </a>
        ))}
      </nav>
      <div class="side-foot">
        {cluster === undefined ? null : (
          <div class="meta">
            <div>Version {cluster.programVersion}</div>
            <div class="mono">{cluster.clusterId}</div>
          </div>
        )}
        <div class="row">
          <button type="button" class="button bare icon" onClick={nextTheme} title={`Theme: ${choice} (t)`}>
            {icons[choice]}
            <span class="unseen">Theme: {choice}</span>
          </button>
          <button type="button" class="button bare icon" onClick={onHelp} title="Keys (?)">
            {icons.help}
            <span class="unseen">Keys</span>
          </button>
        </div>
      </div>
    </div>
  );
}

/** How the cluster is, above every page. */
function HealthLine(): JSX.Element {
  const { data: cluster, error } = useCluster();
  const { data: list } = useStores();
  if (error !== undefined || cluster === undefined) {
    return (
      <div class="health" role="status">
        <span class={`dot tone-${error === undefined ? "warn" : "bad"}`} />
        {error?.message ?? "Asking the placement driver…"}
      </div>
    );
  }
  const findings = findingsOf(cluster, list?.stores ?? [], Date.now());
  return (
    <div class="health" role="status">
      <span class={`dot tone-${worstLevel(cluster, findings)}`} />
      <span>{healthSentence(cluster, findings)}</span>
    </div>
  );
}
