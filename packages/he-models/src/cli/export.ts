import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { manifestOf, serializeProgram } from 'tfjs-he-backend';
import { CARD_FILE } from '../cards/card_files.js';
import { openModel } from '../hub/model_files.js';
import { CLIENT_BUNDLES } from '../pretrained/client_bundles.js';
import { PRETRAINED_NAMES } from '../pretrained/registry.js';
import { SERVER_BUNDLES } from '../pretrained/server_bundles.js';
import { compileServed } from '../use/served_program.js';
import { writeTogether } from '../write_together.js';
import { onlyPositional, parseArguments } from './arguments.js';
import { COMMON_HELP, COMMON_OPTIONS, type Command } from './command.js';
import { modelArgument } from './model_argument.js';
import { outFolder } from './out_folder.js';
import { showProgress } from './show_progress.js';

/** Files of a model that its client needs, besides the configuration. */
const CLIENT_FILES: readonly string[] = ['tokenizer.json', 'embedding.bin'];

export const exportModel: Command = {
  help: `Usage: he-models export MODEL --out DIR [options]

Writes the verified files of a model to a folder that pipeline, HeModelClient and HeModelServer load, for hosting or changing it.

  --out DIR          where to (required); made if it does not exist
  --program          compile it too: program.bin (for parseProgram of tfjs-he-backend/server; of a language model, that of one token) and manifest.json (for clients)
${COMMON_HELP}`,
  run: async ({ args, cwd, print, progress, signal, packageRoot }) => {
    const { values, positionals } = parseArguments(args, { ...COMMON_OPTIONS, out: { type: 'string' }, program: { type: 'boolean' } });
    const model = await modelArgument(cwd, onlyPositional(positionals, 'model'));
    const out = await outFolder(cwd, values.out);
    const options = { signal, progress_callback: showProgress(progress) };
    const [client, server] = [await openModel(model, CLIENT_BUNDLES, options), await openModel(model, SERVER_BUNDLES, options)];
    const contents = new Map<string, Uint8Array>();
    for (const file of Object.keys(client.config.files)) {
      contents.set(file, await (CLIENT_FILES.includes(file) ? client : server).file(file));
    }
    contents.set('config.json', new TextEncoder().encode(`${JSON.stringify(client.config)}\n`));
    const bundled = PRETRAINED_NAMES.some((name) => name === model);
    const card = await readFile(join(bundled ? join(packageRoot, 'models', model) : model, CARD_FILE)).catch(() => undefined);
    if (card !== undefined) contents.set(CARD_FILE, card);
    if (values.program === true) {
      const { program } = await compileServed(server, options);
      contents.set('program.bin', serializeProgram(program));
      contents.set('manifest.json', new TextEncoder().encode(`${JSON.stringify(manifestOf(program))}\n`));
    }
    await writeTogether(out, Object.fromEntries(contents));
    progress.clear();
    const files = [...contents].map(([name, bytes]) => ({ name, bytes: bytes.length, sha256: sha256(bytes) }));
    if (values.json === true) return print(JSON.stringify({ model: client.name, out, files }));
    for (const { name, bytes } of files) print(`${String(bytes).padStart(9)}  ${join(out, name)}`);
  },
};

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
