/** What PD answered instead of what was asked for, or why nothing came. */
export class ApiError extends Error {
  /** The HTTP status; 0: nobody answered. */
  readonly status: number;
  /** Stable, as `RDB_NOT_LEADER`; empty when nobody answered. */
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }
}

/** The error of an answer that is none of success. */
export async function errorOf(response: Response): Promise<ApiError> {
  try {
    const problem = (await response.json()) as { readonly code?: string; readonly detail?: string };
    return new ApiError(response.status, problem.code ?? "", problem.detail ?? response.statusText);
  } catch {
    // No problem document: something between here and PD answers.
    return new ApiError(response.status, "", `${response.status} ${response.statusText}`);
  }
}
