/** A value as a word of a shell's command line, in quotes where it needs them. */
export function shellWord(value: string): string {
  if (/^[\w./:-]+$/.test(value)) return value;
  return /["$`\\!]/.test(value) ? `'${value.replaceAll("'", "'\\''")}'` : `"${value}"`;
}
