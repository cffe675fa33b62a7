/*
 * The program under another name, to be called in the driver.
 */
int perfskew_main(int argc, char **argv);

#define main perfskew_main
#include "../../src/main.c"
