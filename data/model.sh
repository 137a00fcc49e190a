#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The recipe of the shipped model: mix the corpora that may ship with the texts written for the project, train in
# nine stages, install, and make the n-grams that belong to its pieces. `make model CORPUS=folder` runs it; SIZE and
# MINUTES1 .. MINUTES9 change it. A run that was stopped goes on from its checkpoint.
#   1  everything, general first
#   2  support in larger shares, with the contrast against other conversations
#   3  prose as a role of its own; three wordings of each written reply instead of eight
#   4  two wordings; agents' turns count more than customers'; a contrast against common replies
#   5  the same for a while, first messages in larger shares
#   6  support text, longer and at a higher rate again
#   7  with the contrast; conversations strung together (--join), so that a change of subject is heard
#   8  first messages, many of them
#   9  support text and first messages in balance
# What ships lies between the seventh, which predicts support text better, and the ninth, which answers more first messages.
set -eu
corpus=$1
out=build/train
valid=$corpus/dialogue/cucom.valid.jsonl.xz
mkdir -p "$out"
# mix NAME SEED WEIGHTS [OPTION...]
mix() {
	name=$1 seed=$2 weights=$3
	shift 3
	[ -s "$out/$name.jsonl" ] || build/corpus --root "$corpus" --scenarios data/scenarios --replies data/replies \
		--out "$out/$name.jsonl" --seed "$seed" --stats --weight "$weights" "$@"
}
# stage N MINUTES OPTION...
stage() {
	n=$1 minutes=$2
	shift 2
	[ -s "$out/stage$n.safetensors" ] || ./answerback train --train "$out/mix$n.jsonl" --valid "$valid" \
		--out "$out/stage$n.safetensors" --minutes "$minutes" --log "$out/stage$n.log" --seed "$n" --resume "$@"
}
mix mix1 3 cucom=1.7,scenarios=0.3,banking77=0.4,clinc150=0.5,bitext-intent-8k=0.3,bitext-intent-20k=0.2,star=0.12,sgd=0.08,multiwoz21=0.2
mix mix2 4 cucom=1.6,scenarios=0.32,banking77=0.5,clinc150=0.4,bitext-intent-8k=0.5,bitext-intent-20k=0.15,star=0.05,sgd=0.04,multiwoz21=0.1,taskmaster4_coffee=0.15,dstc9_faq=0.05
mix mix3 21 cucom=2.0,scenarios=0.24,banking77=0.5,clinc150=0.35,bitext-intent-8k=0.45,bitext-intent-20k=0.15,star=0.05,sgd=0.03,multiwoz21=0.1,taskmaster4_coffee=0.1,dstc9_faq=0.04,prose=0.28 --alternatives 3
mix mix4 51 cucom=1.5,scenarios=0.5,banking77=0.6,clinc150=0.3,bitext-intent-8k=0.5,bitext-intent-20k=0.1,star=0.02,sgd=0.015,multiwoz21=0.04,taskmaster4_coffee=0.04,dstc9_faq=0.02,prose=0.12 --alternatives 2 --user-weight 0.25 --reply-weight 1.5
stage 1 "${MINUTES1:-55}" --size "${SIZE:-medium}" --lr 0.004 --warmup 150 --eval-every 500 --f32
stage 2 "${MINUTES2:-58}" --init "$out/stage1.safetensors" --lr 0.0025 --warmup 100 --eval-every 400 \
	--contrast 5 --contrast-others 6 --contrast-turns 4 --f32
stage 3 "${MINUTES3:-45}" --init "$out/stage2.safetensors" --tags user,assistant,document --lr 0.0025 --lr-end 0.35 \
	--warmup 100 --eval-every 600 --f32
stage 4 "${MINUTES4:-46}" --init "$out/stage3.safetensors" --tags user,assistant,document --lr 0.0018 --lr-end 0.03 --f32 \
	--warmup 50 --eval-every 400 --dropout 0.06 --contrast 5 --contrast-others 5 --contrast-turns 3
mix mix5 61 cucom=1.3,scenarios=0.6,banking77=0.8,clinc150=0.4,bitext-intent-8k=0.7,bitext-intent-20k=0.1,star=0.01,sgd=0.01,multiwoz21=0.02,taskmaster4_coffee=0.02,dstc9_faq=0.01,prose=0.1 --alternatives 2 --user-weight 0.25 --reply-weight 1.5
stage 5 "${MINUTES5:-18}" --init "$out/stage4.safetensors" --tags user,assistant,document --lr 0.0011 --lr-end 0.02 \
	--warmup 30 --eval-every 400 --dropout 0.05 --contrast 5 --contrast-others 4 --contrast-turns 2
mix mix6 71 cucom=2.2,scenarios=0.42,banking77=0.55,clinc150=0.35,bitext-intent-8k=0.5,bitext-intent-20k=0.1,star=0.03,sgd=0.02,multiwoz21=0.06,taskmaster4_coffee=0.06,dstc9_faq=0.03,prose=0.2 --alternatives 2 --user-weight 0.3 --reply-weight 1.3
stage 6 "${MINUTES6:-68}" --init "$out/stage5.safetensors" --tags user,assistant,document --lr 0.0024 --lr-end 0.25 --f32 \
	--warmup 100 --eval-every 500 --dropout 0.1
mix mix7 81 cucom=1.6,scenarios=0.5,banking77=0.8,clinc150=0.4,bitext-intent-8k=0.7,bitext-intent-20k=0.1,star=0.01,sgd=0.01,multiwoz21=0.02,taskmaster4_coffee=0.02,dstc9_faq=0.01,prose=0.12 --alternatives 2 --join 0.3 --user-weight 0.25 --reply-weight 1.5
stage 7 "${MINUTES7:-40}" --init "$out/stage6.safetensors" --tags user,assistant,document --lr 0.0012 --lr-end 0.02 --f32 \
	--warmup 50 --eval-every 400 --dropout 0.06 --contrast 4 --contrast-others 4 --contrast-turns 2
mix mix8 91 cucom=0.55,scenarios=0.5,banking77=0.5,clinc150=0.3,bitext-intent-8k=0.4,bitext-intent-20k=0.05,star=0.01,sgd=0.005,multiwoz21=0.01,taskmaster4_coffee=0.01,dstc9_faq=0.005,prose=0.05 --alternatives 2 --join 0.2 --user-weight 0.2 --reply-weight 2
stage 8 "${MINUTES8:-19}" --init "$out/stage7.safetensors" --tags user,assistant,document --lr 0.0016 --lr-end 0.02 \
	--warmup 30 --eval-every 600 --dropout 0.06
mix mix9 101 cucom=1.4,scenarios=0.5,banking77=0.4,clinc150=0.3,bitext-intent-8k=0.4,bitext-intent-20k=0.05,star=0.01,sgd=0.005,multiwoz21=0.01,taskmaster4_coffee=0.01,dstc9_faq=0.005,prose=0.06 --alternatives 2 --join 0.2 --user-weight 0.2 --reply-weight 1.7
stage 9 "${MINUTES9:-13}" --init "$out/stage8.safetensors" --tags user,assistant,document --lr 0.0013 --lr-end 0.02 \
	--warmup 30 --eval-every 400 --dropout 0.06
./answerback model blend "$out/stage7.safetensors" "$out/stage9.safetensors" --part 0.6 --valid "$valid" --out data/model.safetensors
./answerback model verify
# the map to answers (model/answer.h): no part of the model, but of what chooses among its replies
mix mix10 181 ms_chitchat=0.02,cucom=1.7,scenarios=0.3,banking77=1.3,clinc150=0.4,bitext-intent-8k=0.7,bitext-intent-20k=0.12,star=0.02,sgd=0.015,multiwoz21=0.03,taskmaster4_coffee=0.03,dstc9_faq=0.02,prose=0.1 --alternatives 2 --join 0.2 --user-weight 0.25 --reply-weight 1.5 --openings 1
build/answer --train "$out/mix10.jsonl" --encoder data/encoder.safetensors --out data/answer.safetensors
FIT=1 sh data/ngram.sh "$corpus" data/model.safetensors
