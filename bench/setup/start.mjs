// The runtime’s own start.
export {};
