// Turns the files of each shipped model into JavaScript modules, so that Node and every bundler load them without a network, a file system or
// loader settings: dist/assets/<model>/client.js for who encrypts, server.js for who computes.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

for (const entry of await readdir(join(root, 'models'), { withFileTypes: true })) {
  if (!entry.isDirectory()) continue;
  const folder = join(root, 'models', entry.name);
  const { files } = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  const isClients = (name) => name === 'tokenizer.json' || name === 'embedding.bin';
  const parts = { client: Object.keys(files).filter(isClients), server: Object.keys(files).filter((name) => !isClients(name)) };
  for (const [part, own] of Object.entries(parts)) {
    const names = ['config.json', ...own];
    const contents = await Promise.all(names.map((name) => readFile(join(folder, name), 'base64')));
    const properties = names.map((name, index) => `  '${name}': '${contents[index]}',\n`).join('');
    const target = join(root, 'dist', 'assets', entry.name, `${part}.js`);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, `export default {\n${properties}};\n`);
  }
}
