// Reads one simulation a line and answers with one line: what the independent evaluator says.
import { anonymousPrincipal, runSimulation } from '@cloud-copilot/iam-simulate'
import { createInterface } from 'node:readline'

for await (const line of createInterface({ input: process.stdin })) {
  const simulation = JSON.parse(line)
  if (simulation.request.principal === null) simulation.request.principal = anonymousPrincipal
  let answer
  try {
    const result = await runSimulation(simulation, { simulationMode: 'Strict' })
    answer =
      result.resultType === 'error'
        ? { error: JSON.stringify(result.errors) }
        : { result: result.overallResult, ignored: result.result.ignoredContextKeys ?? [] }
  } catch (problem) {
    answer = { error: String(problem) }
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
