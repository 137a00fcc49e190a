#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The recipe of data/encoder.safetensors, the memory's encoder: groups of texts that mean the same, out of the corpora that
# may ship and of the project's own wordings, trained by contrast; then the weights of what the memory compares,
# fitted on data/facts.jsonl. `make encoder CORPUS=folder` runs it; MINUTES (of processor time, one thread) changes it.
# Build again afterwards: src/memory_fit.h is new.
set -eu
corpus=$1
out=build/train
mkdir -p "$out"
build/encoder --root "$corpus" --wordings data/wordings --scenarios data/scenarios --wordnet "${WORDNET:-/usr/share/wordnet}" --out "$out/encoder.safetensors" \
	--minutes "${MINUTES:-20}" --seed 1 | tee "$out/encoder.log"
cp "$out/encoder.safetensors" data/encoder.safetensors
./answerback eval --memory --encoder data/encoder.safetensors --fit src/memory_fit.h data/facts.jsonl
