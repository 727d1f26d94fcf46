import { approximationsSection } from './approximations_section.js';
import type { EncryptedFigures } from './encrypted_figures.js';
import { encryptedSection } from './encrypted_section.js';

const LAST_SECTIONS = /^## Use and limits$/m;

/** A card with what figures say, in place of what older ones said, or before "Use and limits", or at the end. */
export function withFigures(card: string, figures: EncryptedFigures): string {
  const said = withSection(card, encryptedSection(figures));
  return figures.approximations === undefined ? said : withSection(said, approximationsSection(figures.approximations));
}

/** @param section from its heading `## ...` to a line end */
export function withSection(card: string, section: string): string {
  const [heading = ''] = section.split('\n');
  const own = new RegExp(`^${heading}\\n(?:(?!## ).*\\n)*`, 'm');
  const rest = card.replace(own, '');
  const old = card.search(own);
  const place = old === -1 ? rest.search(LAST_SECTIONS) : old;
  if (place === -1) return `${rest.trimEnd()}\n\n${section}`;
  const below = rest.slice(place);
  return `${rest.slice(0, place).trimEnd()}\n\n${section}${below === '' ? '' : `\n${below}`}`;
}
