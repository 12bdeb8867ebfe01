/* The names of what twophase.pml and marker.pml check, and how a violation is told. -DCHECKED=SPLIT checks that alone. */

#define SPLIT 1        /* committed on one side, rolled back on the other */
#define TOLD_WRONGLY 2 /* the caller was told what is not so */
#define FALSE_ALARM 3  /* reported, and nothing is wrong */
#define LEFT_OPEN 4    /* something stays open for ever */
#define HIDDEN 5       /* something is wrong for ever, and nobody says so */
#define DONE_TWICE 6   /* committed twice on one side */
#define OTHER_ORDER 7  /* two transactions on one row, in one order on one side and in the other on the other */

#ifndef CHECKED
#define IS(what) true
#else
#define IS(what) (CHECKED == what)
#endif

#define VIOLATED(what) printf(#what); assert(false)
