/** What is there in the dashboard's place until it is built: how to do that. */
export function unbuiltPage(): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>FlareDB: the dashboard is not built</title>
<style>:root { color-scheme: light dark } body { font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem }</style>
</head><body><main><h1>The dashboard is not built yet</h1>
<p>This placement driver runs from its sources. Build the dashboard, then load this page again:</p>
<pre><code>npm run build:dashboard</code></pre>
<p><code>npm start</code> does so by itself. The same figures are in the <a href="/api/v1/docs">admin API</a> and in
<code>rdb cluster status</code>.</p></main></body></html>
`;
}
