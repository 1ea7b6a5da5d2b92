/* SPDX-License-Identifier: MIT */
#ifndef PPIM_SIM_PIM_H
#define PPIM_SIM_PIM_H

int sim_pim_main(int argc, char **argv);

#endif
