// Each test measures or saturates the machine: one at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
