import net, { type AddressInfo } from 'node:net';

/** Where a connection breaks: after so many bytes from the client (up) or from the server (down). */
export type Break = { readonly up: number } | { readonly down: number };

export interface DroppingProxy extends AsyncDisposable {
  readonly url: URL;
  /** WebSocket connections so far. */
  connections(): number;
}

/** Forwards TCP connections to `target`; the first WebSocket connections break as `breaks` says, in order, in the middle of a message. */
export async function droppingProxy(target: URL, breaks: readonly Break[]): Promise<DroppingProxy> {
  let opened = 0;
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(target.port), target.hostname);
    let limit: Break | undefined;
    let first = true;
    const forward = (from: net.Socket, to: net.Socket, most: () => number | undefined) => {
      let passed = 0;
      from.on('data', (chunk) => {
        if (first && from === client && /^upgrade: websocket/im.test(chunk.toString('latin1'))) limit = breaks[opened++];
        first = false;
        const left = (most() ?? Number.POSITIVE_INFINITY) - passed;
        passed += chunk.length;
        to.write(chunk.subarray(0, Math.max(0, left)));
        if (passed < (most() ?? Number.POSITIVE_INFINITY)) return;
        client.destroy();
        upstream.destroy();
      });
      from.on('close', () => to.destroy());
      from.on('error', () => to.destroy());
    };
    forward(client, upstream, () => (limit !== undefined && 'up' in limit ? limit.up : undefined));
    forward(upstream, client, () => (limit !== undefined && 'down' in limit ? limit.down : undefined));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    connections: () => opened,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
