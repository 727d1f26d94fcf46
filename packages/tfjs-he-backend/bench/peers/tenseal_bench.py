"""The workload of workload.ts on TenSEAL, with one thread. Prints one JSON object a line: {"case", "ms", "error"}.
Usage: tenseal_bench.py SAMPLES [--cpu], processor time in place of wall time.

What TenSEAL's vectors do is measured on them; rotations and the product by hand, which they lack, on the SEAL that TenSEAL brings (tenseal.sealapi).
"""

import json
import math
import statistics
import sys
import time

import tenseal as ts
import tenseal.sealapi as seal

DEGREE = 16384
PRIME_BITS = [50, 48, 48, 48, 48, 48, 48, 48, 50]
SCALE = 2.0**48
SIZE = 128
COEFFICIENTS = [0.5, -0.4, 0.3, -0.2, 0.15, 0.1, -0.05, 0.02]
SLOTS = DEGREE // 2
BABIES = 16
# A case that takes longer than this in all has as few as three samples.
BUDGET_MS = 20_000
CLOCK = time.process_time if "--cpu" in sys.argv else time.perf_counter


def value(slot):
    return math.sin(slot % SIZE + 1)


def other(slot):
    return math.cos(2 * (slot % SIZE) + 1)


def matrix(row, column):
    return math.cos(3 * row + 7 * column + 1) / 16


def polynomial(x):
    result = 0.0
    for coefficient in reversed(COEFFICIENTS):
        result = result * x + coefficient
    return result


PRODUCT_WITH_MATRIX = [sum(matrix(row, column) * value(column) for column in range(SIZE)) for row in range(SIZE)]


def report(name, run, decrypt, expected, samples):
    decrypted = decrypt(run())
    error = max(abs(got - wanted) for got, wanted in zip(decrypted, expected))
    times = []
    while len(times) < 3 or (len(times) < samples and sum(times) < BUDGET_MS):
        start = CLOCK()
        run()
        times.append(1000 * (CLOCK() - start))
    print(json.dumps({"case": name, "ms": statistics.median(times), "error": error}), flush=True)


def vectors(samples):
    context = ts.context(ts.SCHEME_TYPE.CKKS, DEGREE, coeff_mod_bit_sizes=PRIME_BITS, n_threads=1)
    context.global_scale = SCALE
    context.generate_galois_keys()
    full = ts.ckks_vector(context, [value(slot) for slot in range(SLOTS)])
    second = ts.ckks_vector(context, [other(slot) for slot in range(SLOTS)])
    short = ts.ckks_vector(context, [value(slot) for slot in range(SIZE)])
    # vector times matrix: rows of TenSEAL's matrix are columns of ours
    transposed = [[matrix(row, column) for row in range(SIZE)] for column in range(SIZE)]
    decrypt = lambda result: result.decrypt()
    report("product", lambda: full * second, decrypt, [value(s) * other(s) for s in range(SLOTS)], samples)
    report("dense", lambda: short.matmul(transposed), decrypt, PRODUCT_WITH_MATRIX, samples)
    report("polynomial", lambda: full.polyval(COEFFICIENTS), decrypt, [polynomial(value(s)) for s in range(SLOTS)], samples)


def by_hand(samples):
    parameters = seal.EncryptionParameters(seal.SCHEME_TYPE.CKKS)
    parameters.set_poly_modulus_degree(DEGREE)
    parameters.set_coeff_modulus(seal.CoeffModulus.Create(DEGREE, PRIME_BITS))
    context = seal.SEALContext(parameters, True, seal.SEC_LEVEL_TYPE.TC128)
    generator = seal.KeyGenerator(context)
    public_key = seal.PublicKey()
    generator.create_public_key(public_key)
    encoder = seal.CKKSEncoder(context)
    evaluator = seal.Evaluator(context)
    decryptor = seal.Decryptor(context, generator.secret_key())
    galois_keys = seal.GaloisKeys()
    # This overload of SEAL's takes Galois elements, which are powers of 3, not steps.
    generator.create_galois_keys([pow(3, step, 2 * DEGREE) for step in range(1, BABIES + 1)], galois_keys)

    def encode(f):
        plaintext = seal.Plaintext()
        encoder.encode([f(slot) for slot in range(SLOTS)], SCALE, plaintext)
        return plaintext

    def decrypt(ciphertext):
        plaintext = seal.Plaintext()
        decryptor.decrypt(ciphertext, plaintext)
        return encoder.decode_double(plaintext)

    x = seal.Ciphertext(context)
    seal.Encryptor(context, public_key).encrypt(encode(value), x)

    def rotation(of, steps):
        result = seal.Ciphertext(context)
        evaluator.rotate_vector(of, steps, galois_keys, result)
        return result

    def diagonal(d):
        moved = d - d % BABIES

        def entry(slot):
            row = (slot + SIZE - moved) % SIZE
            return matrix(row, (row + d) % SIZE)

        return encode(entry)

    diagonals = [diagonal(d) for d in range(SIZE)]

    def dense():
        rotated = [x] + [rotation(x, step) for step in range(1, BABIES)]
        total = None
        for giant in reversed(range(SIZE // BABIES)):
            inner = None
            for baby in range(BABIES):
                term = seal.Ciphertext(context)
                evaluator.multiply_plain(rotated[baby], diagonals[giant * BABIES + baby], term)
                if inner is None:
                    inner = term
                else:
                    evaluator.add_inplace(inner, term)
            if total is not None:
                evaluator.add_inplace(inner, rotation(total, BABIES))
            total = inner
        evaluator.rescale_to_next_inplace(total)
        return total

    report("rotation", lambda: rotation(x, 1), decrypt, [value(s + 1) for s in range(SLOTS)], samples)
    report("dense, diagonals by hand", dense, decrypt, [PRODUCT_WITH_MATRIX[s % SIZE] for s in range(SLOTS)], samples)


if __name__ == "__main__":
    samples = int(sys.argv[1])
    vectors(samples)
    by_hand(samples)
