// What the rules of caniemail.com say of HTML files, for the mail programs people use: JSON on standard output.
// node tests/caniemail.mjs FOLDER-WITH-node_modules FILE …
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [folder, ...files] = process.argv.slice(2);
const at = createRequire(`${folder}/`).resolve('caniemail/package.json').replace(/package\.json$/, 'dist/index.js');
const { caniemail } = await import(pathToFileURL(at).href);
const clients = ['gmail.*', 'outlook.*', 'apple-mail.*', 'thunderbird.*'];
const told = (issues) => [...issues].flatMap(([client, found]) => found.map(({ title, notes }) => ({ client, title, notes })));
const said = {};
for (const file of files) {
  const { issues } = caniemail({ clients, html: readFileSync(file, 'utf8') });
  said[file] = { unsupported: told(issues.errors), partly: told(issues.warnings) };
}
console.log(JSON.stringify(said));
