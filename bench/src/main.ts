import { AGREEMENT_HELP, agreement } from './agreement.ts';

const [name, ...args] = process.argv.slice(2);

try {
  if (name === 'agreement') await agreement(args);
  else {
    console.log(`usage: npm run bench -- <name> [options]\n\n${AGREEMENT_HELP}`);
    if (name !== undefined && name !== '--help') {
      console.error(`unknown benchmark '${name}'`);
      process.exitCode = 1;
    }
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
