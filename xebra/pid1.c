/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *     xebrad --fork--> helper --unshare, fork--> process 1: sh, which reads from the hold pipe, then
 *       |                |                                  becomes the program
 *       |  <-- report ---+--- report (only if something fails; closed by exec)
 *       +---- ack ------>| ends when xebrad has the pidfd: until then nobody reaps process 1, so its
 *                          number stays its own
 *
 * The held process is a shell and not a copy of xebrad, so that it keeps neither xebrad's memory nor its name.
 * Between fork and exec only async-signal-safe calls are made.
 */
#include "xebra/pid1.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "libvnet/base/cleanup.h"

enum { HOLD_FD = 3, REPORT_FD = 4, FIRST_OTHER_FD = 5, ARGUMENTS_MAX = 16 };

static const char hold_script[] = "read -r go <&3 && exec \"$@\" 3<&-";

struct report {
	pid_t pid;
	int error;
	char step[32];
};

struct pipes {
	int hold[2], report[2], ack[2];
};

/* --- in the children --- */

static _Noreturn void give_up(int report_fd, const char *step)
{
	struct report report = { .error = errno };

	strncpy(report.step, step, sizeof report.step - 1);
	_exit(write(report_fd, &report, sizeof report) == sizeof report ? 1 : 2);
}

static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Puts the files of the plan on 0 to 4 and closes all others. */
static void place_files(const struct pid1_plan *plan, const struct pipes *pipes)
{
	int report_fd = fcntl(pipes->report[1], F_DUPFD_CLOEXEC, FIRST_OTHER_FD);
	int hold_fd = fcntl(pipes->hold[0], F_DUPFD_CLOEXEC, FIRST_OTHER_FD);
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int log_fd = open(plan->log_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);

	if (report_fd < 0 || hold_fd < 0)
		_exit(1);
	if (null_fd < 0 || log_fd < 0)
		give_up(report_fd, "open its log");
	log_fd = fcntl(log_fd, F_DUPFD_CLOEXEC, FIRST_OTHER_FD);
	if (log_fd < 0 || dup2(null_fd, 0) < 0 || dup2(log_fd, 1) < 0 || dup2(log_fd, 2) < 0 ||
	    dup2(hold_fd, HOLD_FD) < 0 || dup3(report_fd, REPORT_FD, O_CLOEXEC) < 0 ||
	    close_range(FIRST_OTHER_FD, ~0U, 0) < 0)
		give_up(report_fd, "arrange its files");
}

/* /proc and /sys show what belongs to the namespaces; /sys cannot be written, since the devices below are the host's. */
static void make_mounts(void)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		give_up(REPORT_FD, "detach its mounts");
	if (mount("proc", "/proc", "proc", flags, NULL) < 0)
		give_up(REPORT_FD, "mount /proc");
	if (mount("sysfs", "/sys", "sysfs", flags | MS_RDONLY, NULL) < 0)
		give_up(REPORT_FD, "mount /sys");
}

static _Noreturn void be_pid1(const struct pid1_plan *plan, const char *const *argv, const struct pipes *pipes)
{
	static const char *const environment[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
						   "HOME=/", "container=xebra", NULL };

	place_files(plan, pipes);
	make_mounts();
	setsid();
	umask(022);
	if (chdir("/") < 0)
		give_up(REPORT_FD, "enter /");
	execve(argv[0], (char *const *)argv, (char *const *)environment);
	give_up(REPORT_FD, "run /bin/sh");
}

static _Noreturn void be_helper(const struct pid1_plan *plan, const char *const *argv, const struct pipes *pipes,
				pid_t parent)
{
	struct report report = { 0 };
	char nothing;

	reset_signals();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	close(pipes->hold[1]); /* end of file reaches process 1 when the parent dies */
	close(pipes->ack[1]);
	for (int i = 0; i < plan->n_procs_fds; i++)
		if (write(plan->procs_fds[i], "0", 1) < 0)
			give_up(pipes->report[1], "join its control group");
	if (unshare(CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC) < 0)
		give_up(pipes->report[1], "make its namespaces");
	report.pid = fork();
	if (report.pid < 0)
		give_up(pipes->report[1], "fork");
	if (report.pid == 0)
		be_pid1(plan, argv, pipes);
	if (write(pipes->report[1], &report, sizeof report) != sizeof report)
		_exit(1);
	close(pipes->report[1]);
	_exit(read(pipes->ack[0], &nothing, 1) < 0);
}

/* --- in the parent --- */

static void close_pipes(struct pipes *pipes)
{
	int *const ends[] = { pipes->hold, pipes->report, pipes->ack };

	for (size_t i = 0; i < N_ELEMENTS(ends); i++)
		for (int end = 0; end < 2; end++)
			if (ends[i][end] >= 0)
				close(ends[i][end]);
}

static int open_pipes(struct pipes *pipes)
{
	*pipes = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 } };
	if (pipe2(pipes->hold, O_CLOEXEC) == 0 && pipe2(pipes->report, O_CLOEXEC) == 0 && pipe2(pipes->ack, O_CLOEXEC) == 0)
		return 0;
	int r = -errno;
	close_pipes(pipes);
	return r;
}

static void close_end(int *end)
{
	close(*end);
	*end = -1;
}

/* Reads what the children say until both have closed their ends. */
static int read_reports(int fd, pid_t *pid_out, struct problem *problem)
{
	struct report report;
	ssize_t n;
	int r = 0;

	*pid_out = 0;
	while ((n = read(fd, &report, sizeof report)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n != sizeof report)
			return problem_set(problem, -EIO, "its first process: does not report");
		if (report.pid)
			*pid_out = report.pid;
		else
			r = problem_set(problem, -report.error, "its first process: cannot %s: %s", report.step,
					strerror(report.error));
	}
	if (r == 0 && !*pid_out)
		return problem_set(problem, -ECHILD, "its first process: was killed while it was made");
	return r;
}

static int identify(pid_t pid, struct pid1 *pid1_out, int *pidfd_out, struct problem *problem)
{
	AUTO(close) int pidfd = pidfd_open(pid, 0);
	struct pid1_stat stat;

	if (pidfd < 0)
		return problem_set(problem, -errno, "its first process %d: pidfd_open: %s", pid, strerror(errno));
	int r = pid1_stat(pid, &stat);
	if (r < 0)
		return problem_set(problem, r, "its first process %d: /proc cannot be read: %s", pid, strerror(-r));
	*pid1_out = (struct pid1){ .pid = pid, .start = stat.start };
	*pidfd_out = pidfd;
	pidfd = -1;
	return 0;
}

int pid1_start(const struct pid1_plan *plan, struct pid1 *pid1_out, int *pidfd_out, int *hold_out,
	       struct problem *problem)
{
	const char *argv[ARGUMENTS_MAX + 1] = { "/bin/sh", "-c", hold_script, "xebra-router" };
	struct pipes pipes;
	sigset_t all, old;
	pid_t pid = 0;

	for (size_t i = 0, n = 4; plan->argv[i]; i++) {
		if (n == ARGUMENTS_MAX)
			return problem_set(problem, -E2BIG, "its first process: has too many arguments");
		argv[n++] = plan->argv[i];
	}
	int r = open_pipes(&pipes);
	if (r < 0)
		return problem_set(problem, r, "its first process: pipe: %s", strerror(-r));
	sigfillset(&all); /* no handler of the parent's may run in the child */
	sigprocmask(SIG_SETMASK, &all, &old);
	pid_t parent = getpid(), helper = fork();
	if (helper == 0)
		be_helper(plan, argv, &pipes, parent);
	sigprocmask(SIG_SETMASK, &old, NULL);
	close_end(&pipes.hold[0]);
	close_end(&pipes.report[1]);
	close_end(&pipes.ack[0]);
	if (helper < 0)
		r = problem_set(problem, -errno, "its first process: fork: %s", strerror(errno));
	else
		r = read_reports(pipes.report[0], &pid, problem);
	if (r == 0)
		r = identify(pid, pid1_out, pidfd_out, problem);
	if (r == 0) {
		*hold_out = pipes.hold[1];
		pipes.hold[1] = -1;
	}
	close_pipes(&pipes);
	while (helper > 0 && waitpid(helper, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}

int pid1_release(int hold)
{
	return write(hold, "go\n", 3) == 3 ? 0 : -errno;
}

/* --- finding it again --- */

int pid1_parse(const char *text, struct pid1_stat *stat_out)
{
	const char *after_name = strrchr(text, ')'); /* the name is the process's own choice */
	unsigned long long user, kernel, start;
	long long rss;

	if (!after_name || sscanf(after_name, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d %*d "
					      "%*d %llu %*u %lld", &stat_out->state, &user, &kernel, &start, &rss) != 5)
		return -EINVAL;
	stat_out->start = start;
	stat_out->cpu_ticks = user + kernel;
	stat_out->rss_pages = rss > 0 ? rss : 0;
	return 0;
}

int pid1_stat(pid_t pid, struct pid1_stat *stat_out)
{
	char path[32], text[1024];

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	AUTO(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (n < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	text[n] = '\0';
	return pid1_parse(text, stat_out);
}

int pid1_find(const struct pid1 *pid1, int *pidfd_out)
{
	AUTO(close) int pidfd = pid1->pid > 0 ? pidfd_open(pid1->pid, 0) : -1;
	struct pid1_stat stat;

	if (pidfd < 0)
		return pid1->pid > 0 ? -errno : -ESRCH;
	int r = pid1_stat(pid1->pid, &stat); /* of the process that pidfd holds, or there is none any more */
	if (r < 0)
		return r;
	if (stat.start != pid1->start || stat.state == 'Z' || stat.state == 'X')
		return -ESRCH;
	*pidfd_out = pidfd;
	pidfd = -1;
	return 0;
}

int pid1_signal(int pidfd, int signal)
{
	return pidfd_send_signal(pidfd, signal, NULL, 0) < 0 && errno != ESRCH ? -errno : 0;
}

int pid1_netns(const struct pid1 *pid1)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/%d/ns/net", pid1->pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
