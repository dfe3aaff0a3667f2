using System.Runtime.CompilerServices;

// Nodes with real sockets and threads on a small machine: side by side they would only measure each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: DisableRuntimeMarshalling]
