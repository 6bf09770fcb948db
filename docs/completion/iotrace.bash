# SPDX-License-Identifier: GPL-3.0-only
# bash completion of iotrace

# The rows of tracer/syscalls.def; tests/structure/ compares.
_iotrace_calls='
	sendmmsg recvmmsg sendmsg recvmsg sendto recvfrom write read pwrite64 pread64 writev pwritev pwritev2 readv
	preadv preadv2 vmsplice sendfile splice tee copy_file_range io_uring_enter io_submit io_getevents
	io_pgetevents epoll_wait epoll_pwait epoll_pwait2 poll ppoll select pselect6 mmap munmap mremap madvise brk
	socket socketpair bind connect listen accept accept4 getsockname getpeername getsockopt setsockopt shutdown
	getpmsg putpmsg access acct chdir chmod chown chroot creat faccessat faccessat2 fchmodat fchmodat2 fchownat
	file_getattr file_setattr fspick futimesat getcwd getxattr getxattrat lchown lgetxattr link linkat listxattr
	listxattrat llistxattr lremovexattr lsetxattr lstat mkdir mkdirat mknod mknodat mount mount_setattr
	move_mount name_to_handle_at newfstatat open open_tree open_tree_attr openat openat2 pivot_root quotactl
	readlink readlinkat removexattr removexattrat rename renameat renameat2 rmdir setxattr setxattrat stat statfs
	statx swapoff swapon symlink symlinkat sysfs truncate umount2 unlink unlinkat uselib ustat utime utimensat
	utimes bpf cachestat close close_range dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old
	epoll_wait_old eventfd eventfd2 fadvise64 fallocate fanotify_init fanotify_mark fchdir fchmod fchown fcntl
	fdatasync fgetxattr flistxattr flock fremovexattr fsconfig fsetxattr fsmount fsopen fstat fstatfs fsync
	ftruncate getdents getdents64 inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel
	io_destroy io_setup io_uring_register io_uring_setup ioctl landlock_add_rule landlock_create_ruleset
	landlock_restrict_self listmount listns lseek memfd_create memfd_secret mq_getsetattr mq_notify mq_open
	mq_timedreceive mq_timedsend mq_unlink open_by_handle_at perf_event_open pidfd_getfd pidfd_open pipe pipe2
	quotactl_fd readahead signalfd signalfd4 statmount sync sync_file_range syncfs timerfd_create timerfd_gettime
	timerfd_settime userfaultfd vhangup get_mempolicy map_shadow_stack mbind membarrier migrate_pages mincore
	mlock mlock2 mlockall modify_ldt move_pages mprotect mseal msync munlock munlockall pkey_alloc pkey_free
	pkey_mprotect process_madvise process_mrelease process_vm_readv process_vm_writev remap_file_pages
	set_mempolicy set_mempolicy_home_node shmat shmctl shmdt shmget arch_prctl capget capset clone clone3
	delete_module execve execveat exit exit_group fork get_robust_list get_thread_area getcpu getegid geteuid
	getgid getgroups getpgid getpgrp getpid getppid getpriority getresgid getresuid getrlimit getrusage getsid
	gettid getuid ioprio_get ioprio_set kcmp personality prctl prlimit64 ptrace rseq sched_get_priority_max
	sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
	sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp
	set_robust_list set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setns setpgid setpriority
	setregid setresgid setresuid setreuid setrlimit setsid setuid umask unshare vfork futex futex_requeue
	futex_wait futex_waitv futex_wake msgctl msgget msgrcv msgsnd semctl semget semop semtimedop wait4 waitid
	kill pause pidfd_send_signal restart_syscall rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo
	rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sigaltstack tgkill tkill adjtimex alarm
	clock_adjtime clock_getres clock_gettime clock_nanosleep clock_settime getitimer gettimeofday nanosleep
	setitimer settimeofday time timer_create timer_delete timer_getoverrun timer_gettime timer_settime times
	_sysctl add_key afs_syscall create_module finit_module get_kernel_syms getrandom init_module ioperm iopl
	kexec_file_load kexec_load keyctl lookup_dcookie lsm_get_self_attr lsm_list_modules lsm_set_self_attr
	nfsservctl query_module reboot request_key security setdomainname sethostname sysinfo syslog tuxcall uname
	uprobe uretprobe vserver bdflush break ftime gtty idle ipc lock mpx nice oldolduname olduname prof profil
	readdir sgetmask sigaction signal sigpending sigprocmask sigsuspend socketcall ssetmask stime stty ulimit
	vm86 vm86old waitpid'

_iotrace()
{
	local words=() prefix= i

	# --mode=auto is --mode auto: three words of bash, which wants the last alone, one word of other shells.
	for ((i = 0; i <= COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		=)
			# trace=SET after -e
			[[ ${words[-1]} == --* ]] || unset 'words[-1]'
			((i < COMP_CWORD)) || words+=('')
			;;
		--*=*)
			words+=("${COMP_WORDS[i]%%=*}" "${COMP_WORDS[i]#*=}")
			((i < COMP_CWORD)) || prefix=${COMP_WORDS[i]%%=*}=
			;;
		*)
			words+=("${COMP_WORDS[i]}")
			;;
		esac
	done
	COMPREPLY=()
	_iotrace_reply "$((${#words[@]} - 1))"
	COMPREPLY=("${COMPREPLY[@]/#/$prefix}")
}

# For the word $1 of words.
_iotrace_reply()
{
	local cur=${words[$1]} prev=${words[$1-1]} i
	local options='-o --output --summary --detail --json -c --summary-only -e --trace -P --trace-path --detail-trace --detail-limit
		--mode --no-patch --no-times --trap --verify -p --attach --tree --skip --duration --control-fd --live --interval --metrics --status --stacks --stacks-every -E --env --assert --timeout --grace
		-u --user -q --quiet -V --version -h --help'

	# What follows the target's name is the target's.
	for ((i = 1; i < $1; i++)); do
		case ${words[i]} in
		--)
			_iotrace_command "$1" "$((i + 1))"
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
			_iotrace_command "$1" "$i"
			return
			;;
		esac
	done
	case $prev in
	-o | --output | --summary | --detail | --json | -P | --trace-path | --metrics)
		COMPREPLY=($(compgen -f -- "$cur"))
		;;
	-e | --trace | --detail-trace)
		# What stands before the last comma stays.
		i=${cur%"${cur##*[,!=]}"}
		COMPREPLY=($(compgen -P "$i" -W "all none %io %network %file %desc %memory %process %signal %ipc $_iotrace_calls" \
			-- "${cur#"$i"}"))
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
		COMPREPLY=($(compgen -W 'sendmmsg.per_call sendmmsg.calls recvmmsg.per_call write.calls wall_time cpu_time' -- "$cur"))
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

# The target's command line begins at word $2.
_iotrace_command()
{
	if (($1 == $2)); then
		COMPREPLY=($(compgen -c -- "${words[$1]}"))
	else
		COMPREPLY=($(compgen -f -- "${words[$1]}"))
	fi
}

complete -F _iotrace iotrace
