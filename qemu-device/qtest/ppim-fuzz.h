/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device for QEMU's generic fuzzer: an element of predefined_configs[] in
 * tests/qtest/fuzz/generic_fuzz_configs.h, where the overlay includes it. The
 * fuzzer looks for functions on bus 0. It has the shell's words expanded. Run as
 *
 *   PPIM_QTEST_FIRMWARE=firmware qemu-fuzz-x86_64 --fuzz-target=generic-fuzz-ppim CORPUS
 */
{
	.name = "ppim",
	.args = "-L ${PPIM_QTEST_FIRMWARE:-pc-bios} -M q35 -nodefaults "
		"-object memory-backend-ram,id=hbm0,size=64M "
		"-object memory-backend-ram,id=dimm0,size=64M "
		"-device ppim,hbm-memdev=hbm0,dimm-memdev=dimm0,threads=1",
	.objects = "ppim*",
},
