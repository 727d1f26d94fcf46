// The workload of workload.ts on Lattigo, with one thread. Prints one JSON object a line: {"case", "ms", "error"}.
// Usage: main SAMPLES [--cpu], processor time in place of wall time.
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"sort"
	"strconv"
	"syscall"
	"time"

	"github.com/tuneinsight/lattigo/v6/circuits/ckks/lintrans"
	"github.com/tuneinsight/lattigo/v6/circuits/ckks/polynomial"
	"github.com/tuneinsight/lattigo/v6/core/rlwe"
	"github.com/tuneinsight/lattigo/v6/schemes/ckks"
	"github.com/tuneinsight/lattigo/v6/utils/bignum"
)

const size = 128

var coefficients = []float64{0.5, -0.4, 0.3, -0.2, 0.15, 0.1, -0.05, 0.02}

func value(slot int) float64 { return math.Sin(float64(slot%size + 1)) }

func other(slot int) float64 { return math.Cos(float64(2*(slot%size) + 1)) }

func matrix(row, column int) float64 { return math.Cos(float64(3*row+7*column+1)) / 16 }

func polynomialOf(x float64) (result float64) {
	for i := len(coefficients) - 1; i >= 0; i-- {
		result = result*x + coefficients[i]
	}
	return
}

func matrixTimesValue(row int) (sum float64) {
	for column := 0; column < size; column++ {
		sum += matrix(row, column) * value(column)
	}
	return
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// milliseconds of this process, or of the wall clock.
func clock(cpu bool) float64 {
	if !cpu {
		return float64(time.Now().UnixNano()) / 1e6
	}
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6
}

func main() {
	runtime.GOMAXPROCS(1)
	samples, err := strconv.Atoi(os.Args[1])
	check(err)
	cpu := len(os.Args) > 2 && os.Args[2] == "--cpu"

	params, err := ckks.NewParametersFromLiteral(ckks.ParametersLiteral{
		LogN:            14,
		LogQ:            []int{50, 48, 48, 48, 48, 48, 48, 48},
		LogP:            []int{50},
		LogDefaultScale: 48,
	})
	check(err)
	slots := params.MaxSlots()
	keygen := rlwe.NewKeyGenerator(params)
	secretKey := keygen.GenSecretKeyNew()
	encoder := ckks.NewEncoder(params)
	encryptor := rlwe.NewEncryptor(params, secretKey)
	decryptor := rlwe.NewDecryptor(params, secretKey)

	encrypt := func(f func(int) float64) *rlwe.Ciphertext {
		values := make([]float64, slots)
		for slot := range values {
			values[slot] = f(slot)
		}
		plaintext := ckks.NewPlaintext(params, params.MaxLevel())
		check(encoder.Encode(values, plaintext))
		ciphertext, err := encryptor.EncryptNew(plaintext)
		check(err)
		return ciphertext
	}
	x, y := encrypt(value), encrypt(other)

	// Diagonal d has, at every slot, the entry of the matrix d columns further; rows repeat over the slots.
	diagonals := make(lintrans.Diagonals[float64])
	for d := 0; d < size; d++ {
		diagonal := make([]float64, slots)
		for slot := range diagonal {
			row := slot % size
			diagonal[slot] = matrix(row, (row+d)%size)
		}
		diagonals[d] = diagonal
	}
	transformation := lintrans.Parameters{
		DiagonalsIndexList:        diagonals.DiagonalsIndexList(),
		LevelQ:                    x.Level(),
		LevelP:                    params.MaxLevelP(),
		Scale:                     rlwe.NewScale(params.Q()[x.Level()]),
		LogDimensions:             x.LogDimensions,
		LogBabyStepGiantStepRatio: 1,
	}
	linear := lintrans.NewTransformation(params, transformation)
	check(lintrans.Encode(encoder, diagonals, linear))

	elements := append(lintrans.GaloisElements(params, transformation), params.GaloisElement(1))
	keys := rlwe.NewMemEvaluationKeySet(keygen.GenRelinearizationKeyNew(secretKey), keygen.GenGaloisKeysNew(elements, secretKey)...)
	evaluator := ckks.NewEvaluator(params, keys)
	linearEvaluator := lintrans.NewEvaluator(evaluator)
	polynomialEvaluator := polynomial.NewEvaluator(params, evaluator)
	poly := bignum.NewPolynomial(bignum.Monomial, coefficients, nil)

	report := func(name string, run func() *rlwe.Ciphertext, expected func(int) float64) {
		decrypted := make([]float64, slots)
		check(encoder.Decode(decryptor.DecryptNew(run()), decrypted))
		worst := 0.0
		for slot, got := range decrypted {
			worst = math.Max(worst, math.Abs(got-expected(slot)))
		}
		times := make([]float64, samples)
		for i := range times {
			start := clock(cpu)
			run()
			times[i] = clock(cpu) - start
		}
		sort.Float64s(times)
		median := (times[samples/2] + times[(samples-1)/2]) / 2
		line, err := json.Marshal(map[string]any{"case": name, "ms": median, "error": worst})
		check(err)
		fmt.Println(string(line))
	}

	report("rotation", func() *rlwe.Ciphertext {
		result, err := evaluator.RotateNew(x, 1)
		check(err)
		return result
	}, func(slot int) float64 { return value(slot + 1) })

	report("product", func() *rlwe.Ciphertext {
		result, err := evaluator.MulRelinNew(x, y)
		check(err)
		check(evaluator.Rescale(result, result))
		return result
	}, func(slot int) float64 { return value(slot) * other(slot) })

	report("dense", func() *rlwe.Ciphertext {
		result, err := linearEvaluator.EvaluateNew(x, linear)
		check(err)
		check(evaluator.Rescale(result, result))
		return result
	}, func(slot int) float64 { return matrixTimesValue(slot % size) })

	report("polynomial", func() *rlwe.Ciphertext {
		result, err := polynomialEvaluator.Evaluate(x, poly, params.DefaultScale())
		check(err)
		return result
	}, func(slot int) float64 { return polynomialOf(value(slot)) })
}
