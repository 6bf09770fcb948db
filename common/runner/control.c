/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/control.h"

int control_run(const struct backend_run *in, struct drive_result *ret, struct err *err)
{
	/* Of one that runs already there is only the load. */
	const struct drive_attach free = {.to = in->attach};
	struct drive how = backend_drive(in);

	how.attach = in->attach ? &free : NULL;
	how.tool_argv = in->sc->argv;
	return drive_run(&how, ret, err);
}

static struct res_control_run *describe(void *doc, const struct drive_result *d)
{
	struct res_control_run *run = RES_OBJ(doc, control_run);

	run->wall_ns = d->wall_ns;
	run->cpu_ns = d->cpu_ns;
	if (d->load_started)
		run->load_wall_ns = d->load_wall_ns;
	run->work_count = d->work_count;
	run->latency_ns = d->latency_ns;
	return run;
}

struct res_control *control_describe(
	void *doc, const struct backend_run *in, const struct drive_result *observed)
{
	const struct drive_result *native = in->native;

	if (!native)
		return NULL;
	if (native->trouble != DRIVE_FINE) {
		result_warn(
			doc, "control_failed", "the run without a tool failed: %s", native->text);
		return NULL;
	}
	struct res_control *control = RES_OBJ(doc, control);

	control->native = describe(doc, native);
	control->observed = describe(doc, observed);
	return control;
}
