import net, { type AddressInfo } from 'node:net';

export interface RecordingProxy extends AsyncDisposable {
  readonly url: URL;
  /** What clients have sent, one buffer per connection, as the application sees it: WebSocket payloads are unmasked. */
  sent(): Buffer[];
}

/** Forwards TCP connections to `target` and keeps every byte of the client's direction. */
export async function recordingProxy(target: URL): Promise<RecordingProxy> {
  const connections: Buffer[][] = [];
  const server = net.createServer((client) => {
    const chunks: Buffer[] = [];
    connections.push(chunks);
    const upstream = net.connect(Number(target.port), target.hostname);
    client.on('data', (chunk) => chunks.push(chunk));
    client.pipe(upstream).pipe(client);
    client.on('error', () => upstream.destroy());
    upstream.on('error', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`),
    sent: () => connections.map((chunks) => unmaskWebSocket(Buffer.concat(chunks))),
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** A WebSocket client XORs its payloads (RFC 6455, 5.3), which would hide from a search what it sends. */
function unmaskWebSocket(bytes: Buffer): Buffer {
  const headEnd = bytes.indexOf('\r\n\r\n') + 4;
  if (!/^upgrade: websocket/im.test(bytes.toString('latin1', 0, headEnd))) return bytes;
  const parts = [bytes.subarray(0, headEnd)];
  for (let at = headEnd; at < bytes.length; ) {
    const short = bytes[at + 1]! & 127;
    const [length, maskAt] =
      short === 127
        ? [Number(bytes.readBigUInt64BE(at + 2)), at + 10]
        : short === 126
          ? [bytes.readUInt16BE(at + 2), at + 4]
          : [short, at + 2];
    const mask = bytes.subarray(maskAt, maskAt + 4);
    const payload = bytes.subarray(maskAt + 4, maskAt + 4 + length);
    parts.push(Buffer.from(payload.map((byte, i) => byte ^ mask[i & 3]!)));
    at = maskAt + 4 + length;
  }
  return Buffer.concat(parts);
}
