using System.Globalization;
using Millrace.Fuzz;

return FuzzOptions.TryParse(args, out var options, out var error) ? FuzzRunner.Run(options, AllTargets.Create()) : Refuse(error);

static int Refuse(string error)
{
    Console.Error.WriteLine(error);
    Console.Error.WriteLine("fuzz --seconds N [--target NAME] [--seed S] [--input FILE]");
    Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"targets: {string.Join(' ', AllTargets.Create().Select(target => target.Name))}"));
    return 2;
}
