# SPDX-License-Identifier: GPL-3.0-only
# bash completion of iotrace

_iotrace()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} i
	local options='-o --output --summary --detail --json -c --summary-only -e --trace -P --trace-path --detail-trace --detail-limit
		--mode --no-patch --trap --verify -p --attach --tree --skip --duration --control-fd --live --interval --metrics --status --stacks --stacks-every -E --env --assert --timeout --grace
		-u --user -q --quiet -V --version -h --help'

	COMPREPLY=()
	# What follows the target's name is the target's.
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--)
			_iotrace_command "$((i + 1))"
			return
			;;
		-o | --output | --summary | --detail | --json | -e | --trace | -P | --trace-path | --detail-trace | \
			--detail-limit | --mode | -p | --attach | --skip | --duration | \
			--control-fd | --interval | --metrics | --status | --stacks | --stacks-every | -E | --env | --assert | --timeout | --grace | -u | --user)
			((i++))
			;;
		-*)
			;;
		*)
			_iotrace_command "$i"
			return
			;;
		esac
	done
	case $prev in
	-o | --output | --summary | --detail | --json | -P | --trace-path | --metrics)
		COMPREPLY=($(compgen -f -- "$cur"))
		;;
	-e | --trace | --detail-trace)
		COMPREPLY=($(compgen -W 'all none %io %network %file %desc %memory %process %signal %ipc sendmmsg recvmmsg
			write writev mmap munmap' -- "$cur"))
		;;
	--mode)
		COMPREPLY=($(compgen -W 'auto ptrace' -- "$cur"))
		;;
	--trap)
		COMPREPLY=($(compgen -W 'auto filter dispatch' -- "$cur"))
		;;
	-u | --user)
		COMPREPLY=($(compgen -u -- "$cur"))
		;;
	-p | --attach)
		COMPREPLY=($(compgen -W "$(cd /proc && echo [0-9]*)" -- "$cur"))
		;;
	-E | --env)
		COMPREPLY=($(compgen -v -- "$cur"))
		;;
	--assert)
		COMPREPLY=($(compgen -W 'sendmmsg.per_call sendmmsg.calls recvmmsg.per_call write.calls wall_time' -- "$cur"))
		;;
	--detail-limit | --skip | --duration | --control-fd | --interval | --timeout | --grace)
		;;
	*)
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W "$options" -- "$cur"))
		else
			COMPREPLY=($(compgen -c -- "$cur"))
		fi
		;;
	esac
}

# The target's command line begins at word $1.
_iotrace_command()
{
	if ((COMP_CWORD == $1)); then
		COMPREPLY=($(compgen -c -- "${COMP_WORDS[COMP_CWORD]}"))
	else
		COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
	fi
}

complete -F _iotrace iotrace
