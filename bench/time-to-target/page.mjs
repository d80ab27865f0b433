// The curves as one page that needs no network: Observable Plot and D3 are written into it.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** `</script>` inside of a script would end it. */
const inScript = (text) => text.replaceAll('</', '<\\/');

/** `exports` of Plot does not list its bundle, so that it is found beside what it does list. */
const bundle = (name, path) => {
  const entry = require.resolve(name);
  return readFileSync(entry.slice(0, entry.lastIndexOf(`/${name}/`)) + `/${name}/${path}`, 'utf8');
};

const draw = readFileSync(new URL('draw.mjs', import.meta.url), 'utf8');

/** @param report what time-to-target.mjs writes as results.json */
export function pageOf(report) {
  const scripts = [bundle('d3', 'dist/d3.min.js'), bundle('@observablehq/plot', 'dist/plot.umd.min.js')];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Time to target</title>
<style>
  body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1a1a1a; }
  table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 1rem 0; }
  th, td { padding: 0.15rem 0.9rem 0.15rem 0; text-align: left; border-bottom: 1px solid #ddd; }
  figure { margin: 1rem 0; }
  figure h2 { font-size: 1rem; font-weight: 600; margin: 0; }
  .note { color: #555; }
</style>
<h1>Time to target</h1>
<p class="note">Training clock: evaluation excluded, tuning and probing included. Each run in a process of its own. A target
counts once it is reached twice running; the time is that of the first. ${report.quick ? '<b>Quick version: it shows that the benchmark works, not how fast anything is.</b>' : ''}</p>
<main></main>
<script>${scripts.map(inScript).join('</script>\n<script>')}</script>
<script type="application/json" id="report">${inScript(JSON.stringify(report))}</script>
<script type="module">${inScript(draw)}</script>
</html>
`;
}
