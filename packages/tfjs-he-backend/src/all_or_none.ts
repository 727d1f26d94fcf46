/** What `make` gives for 0, 1, ... `count` - 1; if it fails for one of them, what was made before is released. */
export function allOrNone<T>(count: number, make: (index: number) => T, release: (made: T) => void): T[] {
  const made: T[] = [];
  try {
    while (made.length < count) made.push(make(made.length));
    return made;
  } catch (error) {
    for (const one of made) release(one);
    throw error;
  }
}
