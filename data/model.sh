#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The recipe of the shipped model: mix the corpora that may ship with the texts written for
# the project, train, install. `make model CORPUS=folder` runs it; MINUTES and SIZE change it. A
# run that was stopped goes on from its checkpoint.
set -eu
corpus=$1
out=build/train
mkdir -p "$out"
if [ ! -s "$out/mix.jsonl" ]; then
	build/corpus --root "$corpus" --scenarios data/scenarios --replies data/replies --out "$out/mix.jsonl" \
		--seed 1 --stats \
		--weight cucom=1.7,scenarios=0.3,clinc150=0.6,bitext-intent-20k=0.2,star=0.15,sgd=0.1,multiwoz21=0.3
fi
./answerback train --train "$out/mix.jsonl" --valid "$corpus/dialogue/cucom.valid.jsonl.xz" \
	--company "Amazon India" --out "$out/model.safetensors" --size "${SIZE:-small}" --minutes "${MINUTES:-60}" \
	--lr 0.005 --warmup 150 --eval-every 400 --log "$out/train.jsonl" --resume
mv "$out/model.safetensors" data/model.safetensors
./answerback model verify
