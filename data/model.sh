#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The recipe of the shipped model: mix the corpora that may ship with the texts written for the project, train in
# two stages (general first; then support in larger shares, with the contrast against other conversations), install,
# and make the n-grams that belong to its pieces. `make model CORPUS=folder` runs it; SIZE, MINUTES1 and MINUTES2
# change it. A run that was stopped goes on from its checkpoint.
set -eu
corpus=$1
out=build/train
valid=$corpus/dialogue/cucom.valid.jsonl.xz
mkdir -p "$out"
mix() {
	[ -s "$out/$1.jsonl" ] || build/corpus --root "$corpus" --scenarios data/scenarios --replies data/replies \
		--out "$out/$1.jsonl" --seed "$2" --stats --weight "$3"
}
mix mix1 3 cucom=1.7,scenarios=0.3,banking77=0.4,clinc150=0.5,bitext-intent-8k=0.3,bitext-intent-20k=0.2,star=0.12,sgd=0.08,multiwoz21=0.2
mix mix2 4 cucom=1.6,scenarios=0.32,banking77=0.5,clinc150=0.4,bitext-intent-8k=0.5,bitext-intent-20k=0.15,star=0.05,sgd=0.04,multiwoz21=0.1,taskmaster4_coffee=0.15,dstc9_faq=0.05
[ -s "$out/stage1.safetensors" ] ||
	./answerback train --train "$out/mix1.jsonl" --valid "$valid" --out "$out/stage1.safetensors" --size "${SIZE:-medium}" \
		--minutes "${MINUTES1:-55}" --lr 0.004 --warmup 150 --eval-every 500 --seed 1 --f32 --log "$out/stage1.log" --resume
./answerback train --train "$out/mix2.jsonl" --valid "$valid" --out "$out/stage2.safetensors" --init "$out/stage1.safetensors" \
	--minutes "${MINUTES2:-58}" --lr 0.0025 --warmup 100 --eval-every 400 --seed 2 --contrast 5 --contrast-others 6 \
	--contrast-turns 4 --log "$out/stage2.log" --resume
mv "$out/stage2.safetensors" data/model.safetensors
./answerback model verify
FIT=1 sh data/ngram.sh "$corpus" data/model.safetensors
