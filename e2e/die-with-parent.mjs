// Preloaded into the processes under test: they are killed with whoever started them, however that ended, so that no
// run of the tests leaves anything behind. The channel closes with the parent.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
process.channel?.unref();
