" SPDX-License-Identifier: GPL-3.0-or-later
" Answerback in vim: CTRL-X CTRL-U offers ways to finish the line, from one server process
" (answerback complete --stdin-lines), so that the model is loaded once.
"
"     :source answerback.vim          or put it into ~/.vim/plugin/
"     :setlocal completefunc=AnswerbackComplete
"
" Quoted lines ("> ...") count as what the customer wrote; the other lines above the cursor are the draft.
" g:answerback_command may name another program or options (a list).

if exists('g:loaded_answerback')
	finish
endif
let g:loaded_answerback = 1

function! s:job() abort
	if !exists('s:server') || job_status(s:server) !=# 'run'
		let s:server = job_start(get(g:, 'answerback_command', ['answerback']) + ['complete', '--stdin-lines'],
			\ {'in_mode': 'nl', 'out_mode': 'nl', 'err_io': 'null'})
	endif
	return job_getchannel(s:server)
endfunction

" The ways on after the text before the cursor, best first.
function! AnswerbackAsk() abort
	let above = getline(1, line('.') - 1)
	let quoted = filter(copy(above), 'v:val =~# "^>"')
	let draft = filter(above, 'v:val !~# "^>"') + [strpart(getline('.'), 0, col('.') - 1)]
	let request = {'prefix': substitute(join(draft, "\n"), '^\n*', '', ''), 'role': 'assistant', 'messages': []}
	if !empty(quoted)
		let words = join(map(quoted, 'substitute(v:val, "^>\\+ \\?", "", "")'), "\n")
		let request.messages = [{'role': 'user', 'content': words}]
	endif
	let answer = ch_evalraw(s:job(), json_encode(request) . "\n", {'timeout': 3000})
	return answer =~# '^{' ? map(json_decode(answer).completions, 'v:val.text') : []
endfunction

function! AnswerbackComplete(findstart, base) abort
	if a:findstart
		let s:ways = AnswerbackAsk()
		" the word being typed is part of what is replaced
		return match(strpart(getline('.'), 0, col('.') - 1), '\S*$')
	endif
	return map(copy(s:ways), '{"word": a:base . v:val, "abbr": v:val}')
endfunction
