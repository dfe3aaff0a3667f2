using System.Collections;
using Millrace;
using Millrace.Node;

using var signals = StopSignals.Listen();
var variables = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
    .ToDictionary(v => (string)v.Key, v => (string?)v.Value ?? "", StringComparer.Ordinal);
return await CommandLine.InvokeAsync(
    args, new CommandContext(Console.Out, Console.Error, variables, NodeHost.RunAsync), signals.Token);
