#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The recipe of data/model.ngram: n-grams of the shipped model's pieces in the corpora that may ship with
# no further condition (so not SGD), each conversation once, those seen once left out from three
# pieces on. Then, on held-out conversations, what completion's constants are fitted on.
#     sh data/ngram.sh CORPUS [MODEL]
# MODEL's n-grams are written beside it. FIT=1 also writes src/ghost_fit.h; build again after that.
set -eu
corpus=$1 model=${2:-data/model.safetensors}
out=build/train
mkdir -p "$out"
build/corpus --root "$corpus" --scenarios data/scenarios --replies data/replies --out "$out/ngram.jsonl" --seed 1 \
	--each 20 --only cucom,star,multiwoz21,taskmaster4_coffee,dstc9_faq,tau_bench,scenarios,prose \
	--weight cucom=1,star=0.35,multiwoz21=0.5,taskmaster4_coffee=0.5,dstc9_faq=0.25,tau_bench=1,scenarios=1,prose=0.3
./answerback ngrams --model "$model" --company "Amazon India" --keep 2 --keep-pairs 2 \
	--out "${model%.safetensors}.ngram" "$out/ngram.jsonl"
if [ "${FIT:-}" ]; then
	xz -dc "$corpus/dialogue/cucom.valid.jsonl.xz" | tail -n 150 >"$out/fit.jsonl"
	./answerback eval --completion --model "$model" --company "Amazon India" --fit src/ghost_fit.h "$out/fit.jsonl"
fi
