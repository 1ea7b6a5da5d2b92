/* SPDX-License-Identifier: MIT */
#ifndef PPIM_SIM_DRAM_H
#define PPIM_SIM_DRAM_H

int sim_dram_main(int argc, char **argv);

#endif
