/** 1 when the build may use a fused multiply-add (relaxed SIMD), else 0; set by the compiler's `--use`. */
declare const FUSED: i32;
