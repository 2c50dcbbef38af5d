/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *      submit                      thread                     eventfd
 *   loop ---> todo -----------------> run ----> ended -----------------> loop: end
 *                                  post ---------^
 */
#include "xebra/virt-worker.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/queue.h>

struct job {
	STAILQ_ENTRY(job) next;
	virt_worker_fn *run, *end;
	void *arg;
};
STAILQ_HEAD(jobs, job);

struct virt_worker {
	pthread_t thread;
	pthread_mutex_t mutex; /* of todo, ended, stopping */
	pthread_cond_t has_work;
	struct jobs todo, ended;
	bool stopping;
	int bell; /* eventfd: something is in `ended` */
	struct event *event;
};

/* Memory for a few words: without it nothing could even be reported. */
static struct job *job_new(virt_worker_fn *run, virt_worker_fn *end, void *arg)
{
	struct job *job = calloc(1, sizeof *job);

	if (!job)
		abort();
	*job = (struct job){ .run = run, .end = end, .arg = arg };
	return job;
}

static void put_ended(struct virt_worker *worker, struct job *job)
{
	pthread_mutex_lock(&worker->mutex);
	STAILQ_INSERT_TAIL(&worker->ended, job, next);
	pthread_mutex_unlock(&worker->mutex);
	eventfd_write(worker->bell, 1);
}

static struct job *next_todo(struct virt_worker *worker)
{
	pthread_mutex_lock(&worker->mutex);
	while (STAILQ_EMPTY(&worker->todo) && !worker->stopping)
		pthread_cond_wait(&worker->has_work, &worker->mutex);
	struct job *job = STAILQ_FIRST(&worker->todo);
	if (job)
		STAILQ_REMOVE_HEAD(&worker->todo, next);
	pthread_mutex_unlock(&worker->mutex);
	return job;
}

static void *work(void *arg)
{
	struct virt_worker *worker = arg;
	struct job *job;

	while ((job = next_todo(worker))) {
		job->run(job->arg);
		put_ended(worker, job);
	}
	return NULL;
}

static struct job *next_ended(struct virt_worker *worker)
{
	pthread_mutex_lock(&worker->mutex);
	struct job *job = STAILQ_FIRST(&worker->ended);
	if (job)
		STAILQ_REMOVE_HEAD(&worker->ended, next);
	pthread_mutex_unlock(&worker->mutex);
	return job;
}

static void bell_rang(evutil_socket_t fd, short what, void *arg)
{
	struct virt_worker *worker = arg;
	struct job *job;
	eventfd_t count;

	(void)what;
	eventfd_read(fd, &count);
	while ((job = next_ended(worker))) {
		job->end(job->arg);
		free(job);
	}
}

static int start_thread(struct virt_worker *worker)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int error = pthread_create(&worker->thread, NULL, work, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -error;
}

int virt_worker_start(struct event_base *loop, struct virt_worker **worker_out)
{
	AUTO(free) struct virt_worker *worker = calloc(1, sizeof *worker);
	AUTO(close) int bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (!worker || bell < 0)
		return -ENOMEM;
	pthread_mutex_init(&worker->mutex, NULL);
	pthread_cond_init(&worker->has_work, NULL);
	STAILQ_INIT(&worker->todo);
	STAILQ_INIT(&worker->ended);
	worker->bell = bell;
	worker->event = event_new(loop, bell, EV_READ | EV_PERSIST, bell_rang, worker);
	if (!worker->event || event_add(worker->event, NULL) < 0)
		return -ENOMEM;
	int r = start_thread(worker);
	if (r < 0) {
		event_free(worker->event);
		return r;
	}
	bell = -1;
	*worker_out = take(worker);
	return 0;
}

void virt_worker_submit(struct virt_worker *worker, virt_worker_fn *run, virt_worker_fn *end, void *arg)
{
	struct job *job = job_new(run, end, arg);

	pthread_mutex_lock(&worker->mutex);
	STAILQ_INSERT_TAIL(&worker->todo, job, next);
	pthread_cond_signal(&worker->has_work);
	pthread_mutex_unlock(&worker->mutex);
}

void virt_worker_post(struct virt_worker *worker, virt_worker_fn *end, void *arg)
{
	put_ended(worker, job_new(NULL, end, arg));
}

void virt_worker_stop(struct virt_worker *worker)
{
	if (!worker)
		return;
	pthread_mutex_lock(&worker->mutex);
	worker->stopping = true;
	pthread_cond_signal(&worker->has_work);
	pthread_mutex_unlock(&worker->mutex);
	pthread_join(worker->thread, NULL);
	bell_rang(worker->bell, 0, worker);
	event_free(worker->event);
	close(worker->bell);
	pthread_cond_destroy(&worker->has_work);
	pthread_mutex_destroy(&worker->mutex);
	free(worker);
}
