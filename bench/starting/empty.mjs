/* The floor: what is measured around it is the loader's own time. */
export {};
