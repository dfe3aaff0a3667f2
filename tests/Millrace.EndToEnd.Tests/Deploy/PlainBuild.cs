using Millrace.EndToEnd.Harness;
using Millrace.Tests.Deploy;

namespace Millrace.EndToEnd.Deploy;

/// <summary>Does what a container builder does with the Dockerfile, in a plain folder and with this machine's tools: copies and runs, stage by stage.</summary>
/// <param name="folder">What stands for the roots of all stages' file systems.</param>
internal sealed class PlainBuild(string folder)
{
    /// <summary>What the builder is not sent (deploy/Dockerfile.dockerignore).</summary>
    private static readonly string[] Ignored = ["bin", "obj", "node_modules", "dist"];

    private static readonly TimeSpan StepTime = TimeSpan.FromMinutes(4);

    /// <summary>The working folder of the last stage.</summary>
    public async Task<string> RunAsync()
    {
        var work = folder;
        foreach (var (index, stage) in ContainerFile.Read(Repository.Root).Index())
        {
            foreach (var instruction in stage.Instructions)
            {
                if (instruction.Name == "WORKDIR")
                    Directory.CreateDirectory(work = RootOf(stage.Name, index) + instruction.Text);
                else if (instruction.Name == "COPY")
                    Copy(instruction, work);
                else if (instruction.Name == "RUN")
                    await ChildProcess.RunAsync("build step", "bash", ["-c", $"cd '{work}' && {instruction.Text}"], StepTime);
            }
        }

        return work;
    }

    private string RootOf(string stage, int index) => Path.Combine(folder, stage.Length > 0 ? stage : $"stage-{index}");

    private void Copy(ContainerInstruction copy, string work)
    {
        var to = Path.Combine(work, copy.Words[^1]);
        foreach (var source in copy.Words.SkipLast(1))
        {
            var from = copy.Source is { } stage ? Path.Combine(folder, stage) + source : Path.Combine(Repository.Root, source);
            if (Directory.Exists(from))
                CopyFolder(from, to, copy.Source is null);
            else
                File.Copy(from, Path.Combine(Directory.CreateDirectory(to).FullName, Path.GetFileName(from)), overwrite: true);
        }
    }

    private static void CopyFolder(string from, string to, bool isContext)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
        foreach (var inner in Directory.GetDirectories(from).Where(inner => !isContext || !Ignored.Contains(Path.GetFileName(inner))))
            CopyFolder(inner, Path.Combine(to, Path.GetFileName(inner)), isContext);
    }
}
