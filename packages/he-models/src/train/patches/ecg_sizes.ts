/** Section of the card of `power-ecg`, in Markdown without its heading; measured in 2026-11. */
export const ECG_SIZES = `Macro F1 on the development examples of the polynomial and of its softmax twin, mean over seeds 1 to 3 (single seeds are up to 1.8 points away); what the compiler needs where it is to
do without refreshes and where it may refresh, with the time that it predicts for a warm run on one thread of a 2-vCPU Xeon, 20 ms a round of refreshes included. \`--recipe NAME\` of the
training command, with \`--out\` and \`--seed\`, trains the others. What is shipped is the last row.

| \`--recipe\` | macro F1 | softmax twin | levels | refreshed | predicted | refreshed, if allowed | predicted |
|---|---|---|---|---|---|---|---|
| \`self-attention\`, 2 heads of 8, network of 32 (shipped before) | 34.84% | 34.98% | 12 | 2 in 1 round | 0.80 s | 8 in 6 rounds | 0.50 s |
| \`queries-8-feed-forward\`, network of 32 | 34.00% | 35.19% | 8 | none | 0.32 s | 4 in 3 rounds | 0.19 s |
| \`queries-16-feed-forward\`, network of 32 | 35.37% | 36.04% | 8 | none | 0.41 s | 4 in 3 rounds | 0.21 s |
| \`queries-32-feed-forward\`, network of 32 | 35.88% | 36.24% | 8 | none | 0.55 s | 4 in 3 rounds | 0.24 s |
| \`queries-16\` | 35.37% | 36.50% | 9 | none | 0.19 s | 3 in 2 rounds | 0.15 s |
| its own: 32 queries | 36.07% | 35.96% | 6 | none | 0.32 s | 3 in 2 rounds | 0.18 s |

For refreshes give the compiler other parameters: \`compile: { polyModulusDegrees: [8192], roundTripMs: 20 }\`. The sixteen queries take more levels than the compiler needs to, since that
saves rotations.

Tried on three folds of the training patients, where seeds are 2 to 4 points apart: PowerSoftmax with p = 4, an activation on the values, a bias on the scores, mixed examples, tokens of 4
or 16 samples, dividing a beat by its height, other class weights: no better. The beat before as a second input gave about 3 points, nearly all in class V, but with a beat alone
that model loses 10. The times of beats are not in the data: its rows are in order, but windows of 0.71 s share samples at fast rates only.`;
