/* A Modbus/TCP server on libmodbus, as its manual shows one, that tells what it does.
 *
 *   libmodbus_server ADDRESS MEMORY-FILE
 *
 * Lines on stdout: "ready", "open PEER", "done PEER ADU", "refused PEER ADU" (answered by an exception), "close PEER".
 * The holding registers are the memory file. A thread for each connection, so that none waits for another.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <modbus/modbus.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SIZE = 1000 };

static modbus_mapping_t *mapping;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static void say(const char *word, const char *peer, const uint8_t *adu, int length)
{
	printf("%s %s ", word, peer);
	for (int at = 0; at < length; at++)
		printf("%02x", adu[at]);
	printf("\n");
	fflush(stdout);
}

/* Loses and trims what the sender marked in the IPv4 identification; see filter.rs. */
static int attach_filter(int listener)
{
	struct sock_filter program[] = {
		{ 0x28, 0, 0, (unsigned)SKF_NET_OFF + 12 }, { 0x15, 1, 0, 0x0a14 }, { 0x06, 0, 0, 0xffffffff },
		{ 0x28, 0, 0, (unsigned)SKF_NET_OFF + 4 }, { 0x15, 12, 0, 0xd0d0 }, { 0x02, 0, 0, 0 },
		{ 0x54, 0, 0, 0xff00 },   { 0x15, 1, 0, 0xd100 },  { 0x06, 0, 0, 0xffffffff }, { 0x60, 0, 0, 0 },
		{ 0x54, 0, 0, 0xff },     { 0x07, 0, 0, 0 },       { 0x30, 0, 0, 12 }, { 0x54, 0, 0, 0xf0 },
		{ 0x74, 0, 0, 2 },        { 0x0c, 0, 0, 0 },       { 0x16, 0, 0, 0 },  { 0x06, 0, 0, 0 },
	};
	struct sock_fprog filter = { sizeof program / sizeof *program, program };
	return setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

static void *serve(void *argument)
{
	int socket = (int)(long)argument;
	char peer[64] = "?";
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	if (getpeername(socket, (struct sockaddr *)&from, &size) == 0)
		snprintf(peer, sizeof peer, "%s:%d", inet_ntoa(from.sin_addr), ntohs(from.sin_port));
	modbus_t *context = modbus_new_tcp(NULL, 502);
	modbus_set_socket(context, socket);
	/* How long it waits before it throws away what came behind a request that it refuses. */
	modbus_set_response_timeout(context, 0, 20000);
	pthread_mutex_lock(&turn);
	say("open", peer, NULL, 0);
	pthread_mutex_unlock(&turn);
	for (;;) {
		uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
		int length = modbus_receive(context, query);
		if (length < 0)
			break;
		if (length == 0)
			continue;
		pthread_mutex_lock(&turn);
		uint16_t before[SIZE];
		memcpy(before, mapping->tab_registers, sizeof before);
		int answered = modbus_reply(context, query, length, mapping);
		int changed = memcmp(before, mapping->tab_registers, sizeof before) != 0;
		say(answered == 9 && !changed ? "refused" : "done", peer, query, length);
		pthread_mutex_unlock(&turn);
	}
	close(socket);
	pthread_mutex_lock(&turn);
	say("close", peer, NULL, 0);
	pthread_mutex_unlock(&turn);
	modbus_free(context);
	return NULL;
}

int main(int count, char **words)
{
	if (count != 3)
		return 2;
	mapping = modbus_mapping_new(SIZE, SIZE, SIZE, SIZE);
	int file = open(words[2], O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (!mapping || file < 0 || ftruncate(file, SIZE * 2) != 0)
		return 1;
	uint16_t *memory = mmap(NULL, SIZE * 2, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (memory == MAP_FAILED)
		return 1;
	for (int n = 0; n < SIZE; n++)
		memory[n] = mapping->tab_input_registers[n] = (uint16_t)n;
	free(mapping->tab_registers);
	mapping->tab_registers = memory;

	modbus_t *context = modbus_new_tcp(words[1], 502);
	int listener = modbus_tcp_listen(context, 64);
	if (listener < 0 || attach_filter(listener) != 0) {
		perror("listen");
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		int socket = accept(listener, NULL, NULL);
		int one = 1;
		pthread_t thread;
		if (socket < 0)
			continue;
		setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		if (pthread_create(&thread, NULL, serve, (void *)(long)socket) != 0)
			return 1;
		pthread_detach(thread);
	}
}
