/** Where a mask comes from: nothing else is kept between masking and unmasking. */
export interface MaskSeed {
  /** 32 secret bytes of the server. */
  readonly serverKey: Uint8Array;
  /** Session identifier, any string. */
  readonly session: string;
  /** Segment after which the ciphertext is refreshed. */
  readonly segment: number;
  /** Index of the ciphertext in that refresh. (serverKey, session, segment, index) must never be used for two ciphertexts. */
  readonly index: number;
}
