console.log("hi", process.version);
export {};
