// SPDX-License-Identifier: MIT
/*
 * A table of 1000 users as QR (c = 4), and the sums of two bags of its rows:
 *
 *	cc gnr.c $(pkg-config --cflags --libs ppim) && ./a.out [DEVICE]
 *
 * DEVICE is /dev/ppim if none is given; "cpu:" needs no device.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ppim.h>

enum { ROWS = 1000, DIM = 32, C = 4, Q_ROWS = ROWS / C };

static float q[Q_ROWS][DIM], r[C][DIM];

static void check(const char *what, int ret)
{
	if (!ret)
		return;
	fprintf(stderr, "gnr: %s: %s\n", what, strerror(-ret));
	exit(1);
}

/* Row i is q[i / C] * r[i % C], element by element: here i everywhere. */
static void rows_make(void)
{
	int i, e;

	for (e = 0; e < DIM; e++) {
		for (i = 0; i < Q_ROWS; i++)
			q[i][e] = (float)(i * C);
		for (i = 0; i < C; i++)
			r[i][e] = 1;
	}
}

static struct ppim_tbl *table_make(struct ppim_dev *dev)
{
	struct ppim_shape shape = { .rows = ROWS, .dim = DIM, .collisions = C,
				    .algo = PPIM_ALGO_QR };
	struct ppim_tbl *users;

	check("table", ppim_table_create(dev, &shape, "users", &users));
	check("placement", ppim_place_auto(dev, &users, 1, NULL, NULL, NULL, NULL));
	check("upload of Q", ppim_upload(users, PPIM_SUB_Q, 0, Q_ROWS, q));
	check("upload of R", ppim_upload(users, PPIM_SUB_R, 0, C, r));
	return users;
}

int main(int argc, char **argv)
{
	const char *path = argc > 1 ? argv[1] : PPIM_DEV_DEFAULT;
	int64_t indices[] = { 4, 8, 996 }, offsets[] = { 0, 2 };
	float out[2][DIM];
	struct ppim_bags bags = { .indices = indices, .n_indices = 3,
				  .offsets = offsets, .n_bags = 2,
				  .index_bytes = sizeof(indices[0]),
				  .output = out[0] };
	struct ppim_gnr gnr = { .bags = &bags, .n_tables = 1 };
	struct ppim_ioc_result result;
	struct ppim_dev *dev;
	char line[256];

	check(path, ppim_open(path, &dev));
	rows_make();
	bags.table = table_make(dev);
	if (ppim_gnr(dev, &gnr, &result)) {
		ppim_strerror_result(&gnr, &result, line, sizeof(line));
		fprintf(stderr, "gnr: %s\n", line);
		return 1;
	}
	printf("rows 4 + 8: %g, row 996: %g\n", out[0][0], out[1][DIM - 1]);
	printf("%llu lookups on preset %s, %llu ps\n",
	       (unsigned long long)result.annotation.lookups,
	       ppim_arch_name(result.annotation.arch),
	       (unsigned long long)result.annotation.busy_ps);
	ppim_close(dev);
	return 0;
}
