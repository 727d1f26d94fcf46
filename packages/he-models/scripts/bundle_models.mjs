// Turns the files of each shipped model into JavaScript modules, so that Node and every bundler load them without a network, a file system or
// loader settings: dist/assets/<model>/client.js for who encrypts, server.js for who computes.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const PARTS = { client: ['config.json', 'tokenizer.json', 'embedding.bin'], server: ['he.json', 'model.json', 'weights.bin'] };

for (const entry of await readdir(join(root, 'models'), { withFileTypes: true })) {
  if (!entry.isDirectory()) continue;
  for (const [part, names] of Object.entries(PARTS)) {
    const contents = await Promise.all(names.map((name) => readFile(join(root, 'models', entry.name, name), 'base64')));
    const properties = names.map((name, index) => `  '${name}': '${contents[index]}',\n`).join('');
    const target = join(root, 'dist', 'assets', entry.name, `${part}.js`);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, `export default {\n${properties}};\n`);
  }
}
