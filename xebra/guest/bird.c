/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *            a configuration        it is right            greeting
 *      OFF ------------------> CHECKING ----------> STARTING <--------> READY --+
 *       ^  <------------------    ^        timer ---^  |  connection lost  |    | configure: check, rename, configure
 *       |     it is wrong         |       RESTING <----+-- BIRD ended -----+ <--+ poll: protocols, neighbours
 *       |                         +---------- |        |                   |
 *       +------------- STOPPING <-------------|--------+---- stop ---------+
 *
 * CHECKING is a child `bird -p`; a wrong configuration then starts the previous one, if there is any. STARTING tries the
 * control socket until it greets; that is also where an adopted BIRD, and one that dropped the connection, is.
 * RESTING waits before the next start, twice as long each time until BIRD has been READY for a minute.
 */
#include "xebra/guest/bird.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "libvnet/base/log.h"
#include "xebra/guest/bird-reply.h"

enum {
	CONNECT_EVERY_MS = 50,
	START_MS = 30000,   /* until the greeting */
	COMMAND_MS = 30000, /* until the end of a reply */
	CHECK_MS = 30000,
	STOP_MS = 5000,
	REST_FIRST_MS = 1000,
	REST_LAST_MS = 30000,
	STEADY_MS = 60000,
};

enum bird_state { OFF, CHECKING, STARTING, READY, STOPPING, RESTING };
enum command { IDLE, CHECK, CONFIGURE, PROTOCOLS, NEIGHBORS };

static const char *const state_names[] = { "off", "checking", "starting", "ready", "stopping", "resting" };
#define MAY(state) (1u << (state))
static const unsigned next_states[] = {
	[OFF] = MAY(CHECKING) | MAY(STARTING),
	[CHECKING] = MAY(OFF) | MAY(STARTING),
	[STARTING] = MAY(READY) | MAY(STOPPING) | MAY(RESTING),
	[READY] = MAY(STARTING) | MAY(STOPPING) | MAY(RESTING),
	[STOPPING] = MAY(OFF),
	[RESTING] = MAY(STARTING) | MAY(CHECKING) | MAY(OFF),
};

struct bird {
	struct event_base *loop;
	char *program, *conf, *draft, *socket_path;
	enum bird_state state;
	struct event *timer; /* what it means depends on state */
	uint64_t since_ms, ready_ms;
	unsigned rest_ms;

	pid_t pid;            /* BIRD's, 0: none */
	struct event *ended;  /* of an adopted BIRD, which is nobody's child here */
	int ended_fd;
	pid_t checker;
	int checker_fd; /* its standard error */

	int control;
	struct event *readable;
	bool greeted;
	enum command command;
	struct event *command_timer;
	struct bird_reply reply;

	struct {
		bool active, begun, is_stop;
		char *text;
		bird_done_fn *done;
		void *arg;
		bool over;
		struct problem problem;
		struct event *finish;
	} job;
	char *running_text; /* NULL: not known */

	struct bird_status status, fresh;
	bird_status_fn *answer;
	void *answer_arg;
	struct event *answer_event;
};

static void advance(struct bird *bird);

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void set_timer(struct event *timer, unsigned ms)
{
	event_add(timer, &(struct timeval){ .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 });
}

static void enter(struct bird *bird, enum bird_state state)
{
	assert(next_states[bird->state] & MAY(state));
	log_debug("bird: %s -> %s", state_names[bird->state], state_names[state]);
	bird->state = state;
	bird->since_ms = now_ms();
	event_del(bird->timer);
}

/* --- the job: what bird_configure and bird_stop asked for */

static void finish_later(evutil_socket_t fd, short what, void *arg)
{
	struct bird *bird = arg;

	(void)fd;
	(void)what;
	if (!bird->job.over)
		return;
	struct problem problem = bird->job.problem;
	bird_done_fn *done = bird->job.done;
	bird->job.active = bird->job.over = false;
	free(take(bird->job.text));
	done(bird->job.arg, &problem);
}

static void job_end(struct bird *bird, const struct problem *problem)
{
	if (!bird->job.active || bird->job.over)
		return;
	bird->job.over = true;
	bird->job.problem = problem ? *problem : (struct problem){ .code = 0 };
	event_active(bird->job.finish, EV_TIMEOUT, 0);
}

#define JOB_FAIL(bird, code, ...)                            \
	({                                                   \
		struct problem problem_;                     \
		problem_set(&problem_, (code), __VA_ARGS__); \
		job_end((bird), &problem_);                  \
	})

/* BIRD's message without what a person cannot use: "bird: /run/xebra/bird.conf.new:3:5 syntax error" -> "line 3:5 ..." */
static void job_refused(struct bird *bird, const char *message)
{
	size_t n = strlen(bird->draft);
	const char *text = strncmp(message, "bird: ", 6) == 0 ? message + 6 : message;
	const char *where = "";

	if (strncmp(text, bird->draft, n) == 0 && text[n] == ':') {
		text += n + 1;
		where = "line ";
	}
	JOB_FAIL(bird, -EINVAL, "bird configuration: %s%.*s; correct it, the previous one stays in force", where,
		 (int)strcspn(text, "\n"), text);
}

/* --- files */

static int write_draft(struct bird *bird)
{
	size_t size = strlen(bird->job.text);
	AUTO(close) int fd = open(bird->draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	for (size_t done = 0; done < size;) {
		ssize_t n = write(fd, bird->job.text + done, size - done);
		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static int accept_draft(struct bird *bird)
{
	free(take(bird->running_text));
	if (rename(bird->draft, bird->conf) < 0)
		return -errno;
	bird->running_text = strdup(bird->job.text);
	return 0;
}

static void fail_file(struct bird *bird, int r)
{
	JOB_FAIL(bird, r, "bird: %s: cannot be written: %s; make room in --run-dir or give another", bird->draft, strerror(-r));
}

/* --- processes */

static int spawn(char *const argv[], int stderr_fd, pid_t *pid_out)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, ours;

	sigemptyset(&none);
	sigfillset(&ours);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (stderr_fd >= 0)
		posix_spawn_file_actions_adddup2(&files, stderr_fd, STDERR_FILENO);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &ours);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
	int r = posix_spawn(pid_out, argv[0], &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return -r;
}

static void fail_program(struct bird *bird, int r)
{
	JOB_FAIL(bird, r, "bird: %s cannot be run: %s; install BIRD 2 or give --bird", bird->program, strerror(-r));
}

static void start(struct bird *bird)
{
	char *argv[] = { bird->program, "-f", "-c", bird->conf, "-s", bird->socket_path, NULL };

	unlink(bird->socket_path);
	int r = spawn(argv, -1, &bird->pid);
	if (r < 0) {
		bird->pid = 0;
		log_error("bird: %s cannot be run: %s", bird->program, strerror(-r));
		fail_program(bird, r);
		if (bird->state == CHECKING)
			enter(bird, OFF);
		else
			set_timer(bird->timer, REST_LAST_MS);
		return;
	}
	enter(bird, STARTING);
	set_timer(bird->timer, CONNECT_EVERY_MS);
}

static void check_by_child(struct bird *bird)
{
	char *argv[] = { bird->program, "-p", "-c", bird->draft, NULL };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) {
		fail_program(bird, -errno);
		return;
	}
	AUTO(close) int write_end = ends[1];
	AUTO(close) int read_end = ends[0];
	int r = spawn(argv, write_end, &bird->checker);
	if (r < 0) {
		bird->checker = 0;
		fail_program(bird, r);
		return;
	}
	bird->checker_fd = read_end;
	read_end = -1;
	enter(bird, CHECKING);
	set_timer(bird->timer, CHECK_MS);
}

static void checker_ended(struct bird *bird, int status)
{
	char message[BIRD_ERROR_SIZE] = "";
	bool right = WIFEXITED(status) && WEXITSTATUS(status) == 0;

	bird->checker = 0;
	if (read(bird->checker_fd, message, sizeof message - 1) < 0)
		message[0] = '\0';
	close(bird->checker_fd);
	bird->checker_fd = -1;
	if (bird->job.is_stop) {
		enter(bird, OFF);
		job_end(bird, NULL);
		return;
	}
	if (right) {
		int r = accept_draft(bird);
		if (r < 0) {
			fail_file(bird, r);
			enter(bird, OFF);
			return;
		}
		start(bird);
		return;
	}
	job_refused(bird, message[0] ? message : "bird -p failed without a word");
	if (access(bird->conf, R_OK) == 0)
		start(bird);
	else
		enter(bird, OFF);
}

/* --- control connection */

static void answer(struct bird *bird)
{
	if (bird->answer)
		event_active(bird->answer_event, EV_TIMEOUT, 0);
}

static void answer_later(evutil_socket_t fd, short what, void *arg)
{
	struct bird *bird = arg;
	bird_status_fn *function = take(bird->answer);

	(void)fd;
	(void)what;
	bird->status.running = bird->state == READY;
	if (!bird->status.running)
		bird->status = (struct bird_status){ .running = false };
	if (function)
		function(bird->answer_arg, &bird->status);
}

static void disconnect(struct bird *bird)
{
	if (bird->readable)
		event_free(take(bird->readable));
	if (bird->control >= 0)
		close(bird->control);
	bird->control = -1;
	bird->greeted = false;
	bird->command = IDLE;
	event_del(bird->command_timer);
	answer(bird);
}

static void connection_lost(struct bird *bird, const char *why)
{
	log_warn("bird: control connection lost: %s", why);
	disconnect(bird);
	if (bird->job.begun)
		JOB_FAIL(bird, -ECONNRESET, "bird: control connection lost: %s; it is tried again at the next change", why);
	if (bird->state == READY)
		enter(bird, STARTING);
	if (bird->state == STARTING)
		set_timer(bird->timer, CONNECT_EVERY_MS);
}

static void send_command(struct bird *bird, enum command command)
{
	static const char *const words[] = {
		[CHECK] = "configure check", [CONFIGURE] = "configure", [PROTOCOLS] = "show protocols",
		[NEIGHBORS] = "show ospf neighbors",
	};
	AUTO(free) char *line = NULL;
	const char *file = command == CHECK ? bird->draft : bird->conf;
	int n = command == CHECK || command == CONFIGURE ? asprintf(&line, "%s \"%s\"\n", words[command], file)
							  : asprintf(&line, "%s\n", words[command]);

	bird->command = command;
	bird_reply_start(&bird->reply);
	set_timer(bird->command_timer, COMMAND_MS);
	/* A line is far smaller than the socket's buffer, and there is one at a time. */
	if (n < 0 || send(bird->control, line, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) != n)
		connection_lost(bird, n < 0 ? "no memory" : strerror(errno));
}

static void command_timed_out(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	connection_lost(arg, "no answer in time");
}

static void greeting(struct bird *bird)
{
	bird->greeted = true;
	bird->ready_ms = now_ms();
	enter(bird, READY);
	log_info("bird: running (process %ld)", (long)bird->pid);
	if (bird->job.begun && !bird->job.over)
		job_end(bird, NULL);
}

static void check_answered(struct bird *bird)
{
	if (bird_reply_refused(&bird->reply)) {
		job_refused(bird, bird->reply.error);
		return;
	}
	int r = accept_draft(bird);
	if (r < 0)
		fail_file(bird, r);
	else
		send_command(bird, CONFIGURE);
}

static void reply_ended(struct bird *bird)
{
	enum command command = bird->command;

	event_del(bird->command_timer);
	bird->command = IDLE;
	switch (command) {
	case CHECK:
		check_answered(bird);
		break;
	case CONFIGURE:
		if (bird_reply_refused(&bird->reply)) {
			free(take(bird->running_text));
			job_refused(bird, bird->reply.error);
		} else {
			job_end(bird, NULL);
		}
		break;
	case PROTOCOLS:
		bird->fresh = (struct bird_status){ .running = true, .protocols_up = bird->reply.protocols_up };
		send_command(bird, NEIGHBORS);
		break;
	case NEIGHBORS: /* refused when there is no OSPF */
		bird->fresh.ospf_full = bird->reply.ospf_full;
		bird->status = bird->fresh;
		answer(bird);
		break;
	case IDLE:
		if (!bird->greeted)
			greeting(bird);
		break;
	}
}

static void read_control(evutil_socket_t fd, short what, void *arg)
{
	struct bird *bird = arg;
	uint8_t buffer[4096];
	ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);

	(void)what;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		connection_lost(bird, n == 0 ? "closed by BIRD" : strerror(errno));
		return;
	}
	for (size_t at = 0, used; at < (size_t)n && bird->control == fd; at += used) {
		switch (bird_reply_feed(&bird->reply, buffer + at, (size_t)n - at, &used)) {
		case BIRD_REPLY_MORE:
			break;
		case BIRD_REPLY_END:
			reply_ended(bird);
			break;
		case BIRD_REPLY_GARBLED:
			connection_lost(bird, "not the language of BIRD");
			return;
		}
	}
	advance(bird);
}

/* Connects, which is immediate on a Unix socket; the greeting follows. */
static int connect_control(struct bird *bird)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(address.sun_path, bird->socket_path); /* its length was checked by bird_open */
	AUTO(close) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		return -errno;
	bird->readable = event_new(bird->loop, fd, EV_READ | EV_PERSIST, read_control, bird);
	if (!bird->readable || event_add(bird->readable, NULL) < 0)
		return -ENOMEM;
	bird->control = fd;
	fd = -1;
	bird_reply_start(&bird->reply);
	return 0;
}

/* --- BIRD's end */

static void process_ended(struct bird *bird, const char *how)
{
	bool was_steady = bird->state == READY && now_ms() - bird->ready_ms > STEADY_MS;

	bird->pid = 0;
	if (bird->ended)
		event_free(take(bird->ended));
	if (bird->ended_fd >= 0)
		close(bird->ended_fd);
	bird->ended_fd = -1;
	disconnect(bird);
	if (bird->state == STOPPING) {
		enter(bird, OFF);
		log_info("bird: stopped");
		job_end(bird, NULL);
		return;
	}
	log_warn("bird: ended by itself (%s)", how);
	if (bird->job.begun)
		JOB_FAIL(bird, -EPIPE, "bird: ended by itself (%s); see its log on the console", how);
	bird->rest_ms = was_steady || !bird->rest_ms ? REST_FIRST_MS : 2 * bird->rest_ms;
	if (bird->rest_ms > REST_LAST_MS)
		bird->rest_ms = REST_LAST_MS;
	enter(bird, RESTING);
	set_timer(bird->timer, bird->rest_ms);
}

static void adopted_ended(evutil_socket_t fd, short what, void *arg)
{
	struct bird *bird = arg;

	(void)fd;
	(void)what;
	process_ended(bird, "adopted");
	advance(bird);
}

void bird_child_ended(struct bird *bird, pid_t pid, int status)
{
	char how[64];

	if (WIFSIGNALED(status))
		snprintf(how, sizeof how, "signal %d", WTERMSIG(status));
	else
		snprintf(how, sizeof how, "status %d", WEXITSTATUS(status));
	if (pid == bird->checker)
		checker_ended(bird, status);
	else if (pid == bird->pid)
		process_ended(bird, how);
	else
		return;
	advance(bird);
}

static void stop_process(struct bird *bird)
{
	disconnect(bird);
	enter(bird, STOPPING);
	kill(bird->pid, SIGTERM);
	set_timer(bird->timer, STOP_MS);
}

/* --- time */

static void try_to_connect(struct bird *bird)
{
	if (bird->control < 0)
		(void)connect_control(bird);
	if (now_ms() - bird->since_ms > START_MS) {
		log_error("bird: does not answer; killed");
		kill(bird->pid, SIGKILL); /* its end is reported, and it is started again */
		bird->since_ms = now_ms();
	}
	set_timer(bird->timer, CONNECT_EVERY_MS);
}

static void timer_fired(evutil_socket_t fd, short what, void *arg)
{
	struct bird *bird = arg;

	(void)fd;
	(void)what;
	switch (bird->state) {
	case STARTING:
		try_to_connect(bird);
		break;
	case CHECKING:
		kill(bird->checker, SIGKILL);
		break;
	case STOPPING:
		kill(bird->pid, SIGKILL);
		set_timer(bird->timer, STOP_MS);
		break;
	case RESTING:
		start(bird);
		break;
	case OFF:
	case READY:
		break;
	}
}

/* --- what the caller wants */

static void begin_stop(struct bird *bird)
{
	unlink(bird->conf);
	free(take(bird->running_text));
	switch (bird->state) {
	case RESTING:
		enter(bird, OFF);
		/* fall through */
	case OFF:
		job_end(bird, NULL);
		break;
	case CHECKING:
		kill(bird->checker, SIGKILL);
		break;
	case STARTING:
	case READY:
		stop_process(bird);
		break;
	case STOPPING:
		break;
	}
}

/* Does the next step of the job that the state allows; called whenever either changed. */
static void advance(struct bird *bird)
{
	bool can_begin = bird->state == OFF || bird->state == RESTING || (bird->state == READY && bird->command == IDLE);

	if (!bird->job.active || bird->job.begun)
		return;
	if (bird->job.is_stop) {
		bird->job.begun = true;
		begin_stop(bird);
		return;
	}
	if (!can_begin)
		return;
	bird->job.begun = true;
	if (bird->state == READY && bird->running_text && strcmp(bird->running_text, bird->job.text) == 0) {
		job_end(bird, NULL);
		return;
	}
	int r = write_draft(bird);
	if (r < 0)
		fail_file(bird, r);
	else if (bird->state == READY)
		send_command(bird, CHECK);
	else
		check_by_child(bird);
}

static void job_begin(struct bird *bird, const char *text, bird_done_fn *done, void *arg)
{
	if (bird->job.active) { /* only bird_stop may overtake a configure */
		struct problem problem;
		problem_set(&problem, -ECANCELED, "bird: overtaken by a stop");
		bird->job.active = bird->job.over = false;
		free(take(bird->job.text));
		bird->job.done(bird->job.arg, &problem);
	}
	bird->job.active = true;
	bird->job.begun = bird->job.over = false;
	bird->job.is_stop = !text;
	bird->job.done = done;
	bird->job.arg = arg;
	bird->job.text = text ? strdup(text) : NULL;
	if (text && !bird->job.text)
		JOB_FAIL(bird, -ENOMEM, "bird: no memory for its configuration");
	else
		advance(bird);
}

void bird_configure(struct bird *bird, const char *text, bird_done_fn *done, void *arg)
{
	assert(!bird->job.active);
	job_begin(bird, text, done, arg);
}

void bird_stop(struct bird *bird, bird_done_fn *done, void *arg)
{
	job_begin(bird, NULL, done, arg);
}

void bird_poll(struct bird *bird, bird_status_fn *function, void *arg)
{
	assert(!bird->answer);
	bird->answer = function;
	bird->answer_arg = arg;
	if (bird->state == READY && bird->command == IDLE && !(bird->job.active && bird->job.begun))
		send_command(bird, PROTOCOLS);
	else
		answer(bird);
}

/* --- opening */

static int adopt(struct bird *bird)
{
	struct ucred peer;
	socklen_t size = sizeof peer;
	int r = connect_control(bird);

	if (r < 0)
		return r;
	if (getsockopt(bird->control, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.pid <= 0)
		return -ESRCH;
	bird->ended_fd = (int)syscall(SYS_pidfd_open, peer.pid, 0);
	if (bird->ended_fd < 0)
		return -errno;
	bird->ended = event_new(bird->loop, bird->ended_fd, EV_READ, adopted_ended, bird);
	if (!bird->ended || event_add(bird->ended, NULL) < 0)
		return -ENOMEM;
	bird->pid = peer.pid;
	enter(bird, STARTING);
	set_timer(bird->timer, CONNECT_EVERY_MS);
	log_info("bird: process %ld found running, adopted", (long)bird->pid);
	return 0;
}

static char *file_in(const char *run_dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", run_dir, name) < 0 ? NULL : path;
}

int bird_open(struct event_base *loop, const char *program, const char *run_dir, struct bird **bird_out,
	      struct problem *problem)
{
	AUTO(bird_close) struct bird *bird = calloc(1, sizeof *bird);

	if (!bird)
		return problem_set(problem, -ENOMEM, "bird: no memory");
	bird->loop = loop;
	bird->control = bird->checker_fd = bird->ended_fd = -1;
	bird->program = strdup(program);
	bird->conf = file_in(run_dir, "bird.conf");
	bird->draft = file_in(run_dir, "bird.conf.new");
	bird->socket_path = file_in(run_dir, "bird.ctl");
	bird->timer = event_new(loop, -1, 0, timer_fired, bird);
	bird->command_timer = event_new(loop, -1, 0, command_timed_out, bird);
	bird->job.finish = event_new(loop, -1, 0, finish_later, bird);
	bird->answer_event = event_new(loop, -1, 0, answer_later, bird);
	if (!bird->program || !bird->conf || !bird->draft || !bird->socket_path || !bird->timer || !bird->command_timer ||
	    !bird->job.finish || !bird->answer_event)
		return problem_set(problem, -ENOMEM, "bird: no memory");
	if (strlen(bird->socket_path) >= sizeof ((struct sockaddr_un *)0)->sun_path || strpbrk(run_dir, "\"\n"))
		return problem_set(problem, -EINVAL, "--run-dir %s: too long for a socket, or with a quote; give another", run_dir);
	if (mkdir(run_dir, 0755) < 0 && errno != EEXIST)
		return problem_set(problem, -errno, "--run-dir %s: cannot be made: %s; give another", run_dir, strerror(errno));
	if (adopt(bird) < 0)
		disconnect(bird);
	*bird_out = take(bird);
	return 0;
}

void bird_close(struct bird *bird)
{
	struct event *events[] = { bird ? bird->timer : NULL,	      bird ? bird->command_timer : NULL,
				   bird ? bird->job.finish : NULL,     bird ? bird->answer_event : NULL,
				   bird ? bird->ended : NULL,	      bird ? bird->readable : NULL };

	if (!bird)
		return;
	for (size_t i = 0; i < N_ELEMENTS(events); i++)
		if (events[i])
			event_free(events[i]);
	int fds[] = { bird->control, bird->checker_fd, bird->ended_fd };
	for (size_t i = 0; i < N_ELEMENTS(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(bird->program);
	free(bird->conf);
	free(bird->draft);
	free(bird->socket_path);
	free(bird->job.text);
	free(bird->running_text);
	free(bird);
}
